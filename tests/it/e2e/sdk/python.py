"""The official client library, as its users use it: nothing in here knows of a proxy.

Where it goes is said by the `[gateway]` section of its own configuration file in the home folder. Reads questions and
calls from standard input, one JSON object, and prints what came of each, one JSON object."""

import datetime
import json
import re
import sys

import PureCloudPlatformClientV2 as pc
from PureCloudPlatformClientV2.rest import ApiException

APIS = [getattr(pc, name) for name in dir(pc) if name.endswith("Api")]


def plain(client, answer):
    return client.sanitize_for_serialization(answer)


def call(client, method, args, options):
    name = re.sub("(?<!^)(?=[A-Z])", "_", method).lower()
    api = next(api for api in APIS if hasattr(api, name))
    return plain(client, getattr(api(client), name)(*args, **options))


def read(client, method, args):
    """What the library makes of an answer, if it can, and what it was given."""
    try:
        made = call(client, method, args, {})
    except ValueError:
        made = None  # text where its model has a number
    return {"made": made, "given": json.loads(client.last_response.data)}


def job(client, name, body):
    """Submits a job, asks for its state until it is done, and reads every page of its results."""
    submitted = call(client, f"post{name}Jobs", [body], {})["jobId"]
    for _ in range(50):
        if call(client, f"get{name}Job", [submitted], {})["state"] == "FULFILLED":
            break
    else:
        raise SystemExit("the job takes too long")
    rows, pages, options = [], 0, {}
    while True:
        page = call(client, f"get{name}JobResults", [submitted], options)
        rows += page.get("results") or page.get("conversations") or []
        pages += 1
        if not page.get("cursor"):
            return {"jobId": submitted, "rows": rows, "pages": pages}
        options["cursor"] = page["cursor"]


def ask(client, question):
    if "job" in question:
        return job(client, question["job"], question["body"])
    if "method" in question:
        return read(client, question["method"], question["args"])
    kind, body = question["kind"], question.get("body")
    if kind == "aggregates":
        return plain(client, pc.ConversationsApi(client).post_analytics_conversations_aggregates_query(body))
    if kind == "details":
        return plain(client, pc.ConversationsApi(client).post_analytics_conversations_details_query(body))
    if kind == "observations":
        return plain(client, pc.AnalyticsApi(client).post_analytics_queues_observations_query(body))
    if kind == "queues":
        return plain(client, pc.RoutingApi(client).get_routing_queues(page_size=100, **question.get("params", {})))
    if kind.startswith("callback"):
        return plain(client, callback(pc.ConversationsApi(client), kind, question))
    raise SystemExit("no such question: " + kind)


def callback(api, kind, question):
    later = datetime.datetime(2026, 11, 21, 9, 0, tzinfo=datetime.timezone.utc)
    if kind == "callback":
        command = pc.CreateCallbackCommand()
        command.queue_id = question["queue"]
        command.callback_numbers = ["+15550100"]
        command.callback_scheduled_time = later
        return api.post_conversations_callbacks(command)
    if kind == "callback-read":
        return api.get_conversations_callback(question["id"])
    if kind == "callback-moved":
        request = pc.PatchCallbackRequest()
        request.conversation_id = question["id"]
        request.callback_scheduled_time = later
        return api.patch_conversations_callbacks(request)
    identifier = pc.CallbackDisconnectIdentifier()
    identifier.conversation_id = question["id"]
    request = pc.BulkCallbackDisconnectRequest()
    request.callback_disconnect_identifiers = [identifier]
    return api.post_conversations_callbacks_bulk_disconnect(request)


def main():
    order = json.load(sys.stdin)
    pc.configuration.host = pc.PureCloudRegionHosts.us_east_1.get_api_host()
    answers = []
    for person in order:
        client = pc.api_client.ApiClient().get_client_credentials_token(person["client"], person["secret"])
        for question in person.get("questions", []) + person.get("calls", []):
            try:
                answers.append({"answer": ask(client, question)})
            except ApiException as refused:
                answers.append({"status": refused.status, "body": json.loads(refused.body)})
    json.dump(answers, sys.stdout)


main()
