"""The official client library, as its users use it: nothing in here knows of a proxy.

Where it goes is said by the `[gateway]` section of its own configuration file in the home folder. Reads questions from
standard input, one JSON object, and prints what came of each, one JSON object."""

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
    raise SystemExit("no such question: " + kind)


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
