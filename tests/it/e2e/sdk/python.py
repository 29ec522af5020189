"""The official client library, as its users use it: nothing in here knows of a proxy.

Where it goes is said by the `[gateway]` section of its own configuration file in the home folder. Reads questions from
standard input, one JSON object, and prints what came of each, one JSON object."""

import datetime
import json
import sys

import PureCloudPlatformClientV2 as pc
from PureCloudPlatformClientV2.rest import ApiException


def plain(client, answer):
    return client.sanitize_for_serialization(answer)


def ask(client, question):
    kind, body = question["kind"], question.get("body")
    if kind == "aggregates":
        return pc.ConversationsApi(client).post_analytics_conversations_aggregates_query(body)
    if kind == "details":
        return pc.ConversationsApi(client).post_analytics_conversations_details_query(body)
    if kind == "observations":
        return pc.AnalyticsApi(client).post_analytics_queues_observations_query(body)
    if kind == "queues":
        return pc.RoutingApi(client).get_routing_queues(page_size=100, **question.get("params", {}))
    if kind.startswith("callback"):
        return callback(pc.ConversationsApi(client), kind, question)
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
        for question in person["questions"]:
            try:
                answers.append({"answer": plain(client, ask(client, question))})
            except ApiException as refused:
                answers.append({"status": refused.status, "body": json.loads(refused.body)})
    json.dump(answers, sys.stdout)


main()
