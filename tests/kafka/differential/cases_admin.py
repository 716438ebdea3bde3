# SPDX-License-Identifier: Apache-2.0
"""Topics, settings, quotas, and what else is asked of a cluster."""
TOPIC, BROKER, LOGGER = 2, 4, 8
SET, DELETE, APPEND, SUBTRACT = range(4)
ABSENT = b"\x05" * 16


def each_part(p, api, requests, newest=False):
    for name, request in requests.items():
        with p.part(name):
            (p.newest if newest else p.each)(api, request)


def metadata(p):
    topic_id = p.topic("known", 3)

    def named(*names, create=False, **more):
        return {"Topics": [{"Name": name} for name in names], "AllowAutoTopicCreation": create,
                **more}
    each_part(p, "Metadata", {
        "one": named("known"), "unknown": named("unknown-topic"), "bad name": named("a b"),
        "no name": named(""), "long name": named("x" * 250), "dot": named("."),
        "two": named("known", "unknown-topic"), "twice": named("known", "known"),
        "none": {"Topics": []}, "internal": named("__consumer_offsets"),
        "allowed operations": named("known", IncludeTopicAuthorizedOperations=True,
                                    IncludeClusterAuthorizedOperations=True)})
    for version in p.versions("Metadata", 10):
        for name, topic in {"id": {"Name": None, "TopicId": topic_id},
                            "unknown id": {"Name": None, "TopicId": ABSENT},
                            "id zero": {"Name": None, "TopicId": bytes(16)},
                            "id and name": {"Name": "known", "TopicId": topic_id}}.items():
            with p.part(name):
                p.ask("Metadata", version, {"Topics": [topic]})
    each_part(p, "Metadata", {"create bad": named("a/b", create=True),
                              "create long": named("y" * 250, create=True)})
    with p.part("all"):
        p.each("Metadata", {"Topics": None}, low=1)


def auto_created(p):
    """Asking for a topic makes it, where that is wanted."""
    p.newest("Metadata", {"Topics": [{"Name": "asked-for"}], "AllowAutoTopicCreation": True})
    p.await_topic("asked-for")
    p.newest("Metadata", {"Topics": [{"Name": "asked-for"}], "AllowAutoTopicCreation": True})


def describe_cluster(p):
    each_part(p, "DescribeCluster", {
        "plain": {}, "operations": {"IncludeClusterAuthorizedOperations": True},
        "controllers": {"EndpointType": 2}, "endpoint 0": {"EndpointType": 0},
        "endpoint 9": {"EndpointType": 9}, "fenced": {"IncludeFencedBrokers": True}})


def created(name, partitions=1, replicas=1, assignments=(), only_check=False, **configs):
    return {"timeoutMs": 10000, "validateOnly": only_check, "Topics": [{
        "Name": name, "NumPartitions": partitions, "ReplicationFactor": replicas,
        "Assignments": [{"PartitionIndex": i, "BrokerIds": list(brokers)} for i, brokers in assignments],
        "Configs": [{"Name": key.replace("_", "."), "Value": value}
                    for key, value in configs.items()]}]}


def create_topics(p):
    p.topic("exists")
    collide = {"timeoutMs": 10000, "validateOnly": True, "Topics": [
        *created("same")["Topics"], *created("same")["Topics"], *created("fine")["Topics"]]}
    each_part(p, "CreateTopics", {
        "exists": created("exists"), "exists, checked only": created("exists", only_check=True),
        "exists, bad partitions": created("exists", 0),
        "no name": created(""), "dot": created("."), "two dots": created(".."),
        "three dots": created("...", only_check=True),
        "slash": created("a/b"), "space": created("a b"), "249": created("n" * 249, only_check=True),
        "250": created("n" * 250), "not ascii": created("t\u00f6pic"),
        "collides": created("wi.th_both", only_check=True),
        "internal": created("__consumer_offsets"), "metadata": created("__cluster_metadata"),
        "0 partitions": created("new", 0), "-1 partitions": created("new", -1, only_check=True),
        "-2 partitions": created("new", -2), "0 replicas": created("new", 1, 0),
        "-1 replicas": created("new", 1, -1, only_check=True), "-2 replicas": created("new", 1, -2),
        "2 replicas": created("new", 1, 2), "max replicas": created("new", 1, 32767),
        "20000 partitions": created("new", 20000, only_check=True),
        "same twice": collide, "none": {"timeoutMs": 1000, "Topics": []},
        "no time": {**created("new", only_check=True), "timeoutMs": 0},
        "negative time": {**created("new", only_check=True), "timeoutMs": -1},
        "assigned": created("new", -1, -1, [(0, [1]), (1, [1])], only_check=True),
        "assigned gap": created("new", -1, -1, [(0, [1]), (2, [1])]),
        "assigned negative": created("new", -1, -1, [(-1, [1])]),
        "assigned twice": created("new", -1, -1, [(0, [1]), (0, [1])]),
        "assigned to unknown": created("new", -1, -1, [(0, [7])]),
        "assigned to one twice": created("new", -1, -1, [(0, [1, 1])]),
        "assigned to none": created("new", -1, -1, [(0, [])]),
        "assigned with partitions": created("new", 1, -1, [(0, [1])]),
        "assigned with replicas": created("new", -1, 1, [(0, [1])])})
    p.newest("Metadata", {"Topics": [{"Name": "new"}]})


BAD_CONFIGS = (
    ("no.such.setting", "1"), ("retention.ms", "x"), ("retention.ms", ""), ("retention.ms", "-2"),
    ("retention.ms", "9223372036854775808"), ("retention.ms", " 5 "), ("retention.ms", "5.0"),
    ("retention.bytes", "-2"), ("segment.bytes", "13"), ("segment.bytes", "1048575"),
    ("segment.bytes", "2147483648"), ("segment.ms", "0"),
    ("segment.jitter.ms", "-1"), ("segment.index.bytes", "3"), ("index.interval.bytes", "-1"),
    ("cleanup.policy", "nothing"), ("cleanup.policy", "compact,delete"), ("cleanup.policy", ""),
    ("cleanup.policy", "compact, delete"), ("cleanup.policy", "Compact"),
    ("cleanup.policy", "compact,compact"),
    ("compression.type", "brotli"), ("compression.type", "GZIP"), ("compression.gzip.level", "0"),
    ("compression.gzip.level", "10"), ("compression.gzip.level", "-1"),
    ("compression.lz4.level", "0"), ("compression.lz4.level", "18"),
    ("compression.zstd.level", "23"), ("compression.zstd.level", "-5"),
    ("message.timestamp.type", "createtime"), ("message.timestamp.type", "Other"),
    ("message.timestamp.before.max.ms", "-1"), ("message.timestamp.after.max.ms", "x"),
    ("message.format.version", "3.0"), ("message.downconversion.enable", "true"),
    ("message.timestamp.difference.max.ms", "5"), ("max.message.bytes", "-1"),
    ("max.message.bytes", "2147483647"), ("max.message.bytes", "0"),
    ("min.insync.replicas", "0"), ("min.insync.replicas", "2"), ("min.cleanable.dirty.ratio", "1.1"),
    ("min.cleanable.dirty.ratio", "-0.1"), ("min.cleanable.dirty.ratio", "nan"),
    ("min.cleanable.dirty.ratio", "0.5f"),
    ("min.compaction.lag.ms", "-1"), ("max.compaction.lag.ms", "0"),
    ("max.compaction.lag.ms", "1"), ("delete.retention.ms", "-1"), ("file.delete.delay.ms", "-1"),
    ("flush.messages", "0"), ("flush.messages", "-1"), ("flush.ms", "-1"), ("preallocate", "yes"),
    ("preallocate", "TRUE"), ("preallocate", "true"), ("unclean.leader.election.enable", "maybe"),
    ("unclean.leader.election.enable", "true"),
    ("leader.replication.throttled.replicas", "*"), ("leader.replication.throttled.replicas", "0:1"),
    ("follower.replication.throttled.replicas", "0-1"), ("remote.storage.enable", "true"),
    ("remote.storage.enable", "false"), ("local.retention.ms", "-3"), ("local.retention.bytes", "-2"),
    ("remote.log.copy.disable", "true"), ("remote.log.delete.on.disable", "false"),
    ("retention.ms", None), ("cleanup.policy", None))


def create_with_configs(p):
    for name, value in BAD_CONFIGS:
        with p.part(f"{name}={value}"):
            p.newest("CreateTopics", {"timeoutMs": 5000, "validateOnly": True, "Topics": [{
                "Name": "configured", "NumPartitions": 1, "ReplicationFactor": 1,
                "Configs": [{"Name": name, "Value": value}]}]})
    for name, configs in {
            "lags": {"min_compaction_lag_ms": "10", "max_compaction_lag_ms": "5"},
            "local above all": {"local_retention_ms": "10", "retention_ms": "5"},
            "local bytes above all": {"local_retention_bytes": "10", "retention_bytes": "5"},
            "jitter above segment": {"segment_ms": "10", "segment_jitter_ms": "50"}}.items():
        with p.part(name):
            p.newest("CreateTopics", created("configured", only_check=True, **configs))


def delete_topics(p):
    topic_id = p.topic("to-delete")
    p.topic("to-delete-2")

    def deleted(*names):
        return {"Topics": [{"Name": name} for name in names], "TopicNames": list(names),
                "TimeoutMs": 5000}
    each_part(p, "DeleteTopics", {
        "unknown": deleted("nobody"), "bad name": deleted("a/b"), "no name": deleted(""),
        "none": deleted(), "twice": deleted("nobody", "nobody"),
        "no time": {**deleted("nobody"), "TimeoutMs": 0}})
    for version in p.versions("DeleteTopics", 6):
        for name, topics in {
                "unknown id": [{"Name": None, "TopicId": ABSENT}],
                "neither": [{"Name": None}],
                "both": [{"Name": "to-delete", "TopicId": topic_id}],
                "id twice": [{"Name": None, "TopicId": ABSENT}] * 2,
                "name and its id": [{"Name": "to-delete"}, {"Name": None, "TopicId": topic_id}],
                "id": [{"Name": None, "TopicId": topic_id}],
                "id again": [{"Name": None, "TopicId": topic_id}]}.items():
            with p.part(name):
                p.ask("DeleteTopics", version, {"Topics": topics, "TimeoutMs": 5000})
    with p.part("name"):
        p.each("DeleteTopics", deleted("to-delete-2"))


def create_partitions(p):
    p.topic("grows", 2)

    def grown(name, count, assignments=None, only_check=False):
        return {"Topics": [{"Name": name, "Count": count, "Assignments": assignments and [
            {"BrokerIds": brokers} for brokers in assignments]}], "TimeoutMs": 5000,
                "ValidateOnly": only_check}
    each_part(p, "CreatePartitions", {
        "as many": grown("grows", 2), "fewer": grown("grows", 1), "0": grown("grows", 0),
        "-1": grown("grows", -1), "unknown": grown("nobody", 3), "bad name": grown("a/b", 3),
        "no name": grown("", 3), "checked only": grown("grows", 3, only_check=True),
        "20000": grown("grows", 20000, only_check=True),
        "unknown broker": grown("grows", 3, [[9]]), "too many assigned": grown("grows", 3, [[1], [1]]),
        "too few assigned": grown("grows", 4, [[1]]), "two brokers": grown("grows", 3, [[1, 1]]),
        "no broker": grown("grows", 3, [[]]), "assigned": grown("grows", 3, [[1]], True),
        "none": {"Topics": [], "TimeoutMs": 5000},
        "twice": {"Topics": grown("grows", 3)["Topics"] * 2, "TimeoutMs": 5000, "ValidateOnly": True}})
    with p.part("3"):
        p.newest("CreatePartitions", grown("grows", 3))
        p.await_topic("grows", 3)


def described(kind, name, keys=None, **more):
    return {"Resources": [{"ResourceType": kind, "ResourceName": name, "ConfigurationKeys": keys}],
            **more}


def describe_configs(p):
    p.topic("described", segment_bytes="2000000", cleanup_policy="compact")
    each_part(p, "DescribeConfigs", {
        "topic": described(TOPIC, "described"),
        "synonyms": described(TOPIC, "described", IncludeSynonyms=True),
        "some": described(TOPIC, "described", ["segment.bytes", "no.such", "cleanup.policy"]),
        "no keys": described(TOPIC, "described", []),
        "unknown": described(TOPIC, "nobody"), "bad name": described(TOPIC, "a/b"),
        "no name": described(TOPIC, ""), "broker 7": described(BROKER, "7"),
        "broker x": described(BROKER, "x"), "loggers of 7": described(LOGGER, "7"),
        "loggers of x": described(LOGGER, "x"),
        "kind 0": described(0, "x"), "kind 1": described(1, "x"), "kind 3": described(3, "x"),
        "kind 77": described(77, "x"), "kind -1": described(-1, "x"), "kind 16": described(16, "x"),
        "kind 32": described(32, "x"), "none": {"Resources": []},
        "twice": {"Resources": described(TOPIC, "described", ["segment.bytes"])["Resources"] * 2}})
    keys = ["num.partitions", "log.retention.ms", "log.retention.hours", "message.max.bytes",
            "log.segment.bytes", "auto.create.topics.enable", "min.insync.replicas",
            "compression.type", "log.cleanup.policy", "offsets.topic.num.partitions",
            "group.initial.rebalance.delay.ms", "node.id", "connections.max.idle.ms",
            "log.message.timestamp.type", "default.replication.factor", "delete.topic.enable",
            "transactional.id.expiration.ms", "max.connections", "log.flush.interval.messages"]
    each_part(p, "DescribeConfigs", {
        "broker": described(BROKER, "1", keys), "brokers": described(BROKER, "", keys),
        "broker's synonyms": described(BROKER, "1", keys, IncludeSynonyms=True)}, newest=True)


def altered(kind, name, *configs, only_check=False):
    return {"Resources": [{"ResourceType": kind, "ResourceName": name, "Configs": [
        {"Name": key, "Value": value} for key, value in configs]}], "ValidateOnly": only_check}


def stepped(kind, name, *steps, only_check=False):
    return {"Resources": [{"ResourceType": kind, "ResourceName": name, "Configs": [
        {"Name": key, "ConfigOperation": operation, "Value": value}
        for key, operation, value in steps]}], "ValidateOnly": only_check}


def alter_configs(p):
    p.topic("altered")
    show = described(TOPIC, "altered", ["retention.ms", "cleanup.policy", "segment.bytes"])
    for name, request in {
            "set": altered(TOPIC, "altered", ("retention.ms", "5000000"), ("segment.bytes", "2000000")),
            "replaces": altered(TOPIC, "altered", ("cleanup.policy", "compact")),
            "empty": altered(TOPIC, "altered"), "checked only": altered(
                TOPIC, "altered", ("retention.ms", "1"), only_check=True),
            "null": altered(TOPIC, "altered", ("retention.ms", None)),
            "unknown setting": altered(TOPIC, "altered", ("no.such", "1")),
            "bad value": altered(TOPIC, "altered", ("retention.ms", "x")),
            "one good, one bad": altered(TOPIC, "altered", ("segment.bytes", "3000000"),
                                         ("retention.ms", "x")),
            "setting twice": altered(TOPIC, "altered", ("retention.ms", "1000000000"),
                                     ("retention.ms", "2000000000")),
            "unknown topic": altered(TOPIC, "nobody", ("retention.ms", "1")),
            "bad name": altered(TOPIC, "a/b", ("retention.ms", "1")),
            "no name": altered(TOPIC, "", ("retention.ms", "1")),
            "kind 0": altered(0, "x", ("a", "b")), "kind 99": altered(99, "x", ("a", "b")),
            "logger": altered(LOGGER, "1", ("kafka", "INFO")),
            "broker x": altered(BROKER, "x", ("a", "b")), "broker 7": altered(BROKER, "7", ("a", "b")),
            "none": {"Resources": []},
            "twice": {"Resources": altered(TOPIC, "altered", ("retention.ms", "7"))["Resources"] * 2},
    }.items():
        with p.part(name):
            p.each("AlterConfigs", request)
            p.newest("DescribeConfigs", show)


def alter_configs_by_steps(p):
    p.topic("stepped")
    show = described(TOPIC, "stepped", ["retention.ms", "cleanup.policy", "segment.bytes",
                                        "leader.replication.throttled.replicas"])
    for name, request in {
            "set": stepped(TOPIC, "stepped", ("retention.ms", SET, "5000000"),
                           ("segment.bytes", SET, "2000000")),
            "delete": stepped(TOPIC, "stepped", ("retention.ms", DELETE, None)),
            "delete with value": stepped(TOPIC, "stepped", ("segment.bytes", DELETE, "5")),
            "delete what is not set": stepped(TOPIC, "stepped", ("flush.ms", DELETE, None)),
            "delete unknown": stepped(TOPIC, "stepped", ("no.such", DELETE, None)),
            "append": stepped(TOPIC, "stepped", ("cleanup.policy", APPEND, "compact")),
            "append again": stepped(TOPIC, "stepped", ("cleanup.policy", APPEND, "compact")),
            "subtract": stepped(TOPIC, "stepped", ("cleanup.policy", SUBTRACT, "delete")),
            "subtract what is not there": stepped(TOPIC, "stepped", ("cleanup.policy", SUBTRACT, "x")),
            "append bad": stepped(TOPIC, "stepped", ("cleanup.policy", APPEND, "nothing")),
            "append to a number": stepped(TOPIC, "stepped", ("retention.ms", APPEND, "5")),
            "subtract from a number": stepped(TOPIC, "stepped", ("retention.ms", SUBTRACT, "5")),
            "append throttled": stepped(TOPIC, "stepped", (
                "leader.replication.throttled.replicas", APPEND, "0:1")),
            "operation 4": stepped(TOPIC, "stepped", ("retention.ms", 4, "5")),
            "operation -1": stepped(TOPIC, "stepped", ("retention.ms", -1, "5")),
            "null": stepped(TOPIC, "stepped", ("retention.ms", SET, None)),
            "append null": stepped(TOPIC, "stepped", ("cleanup.policy", APPEND, None)),
            "no name": stepped(TOPIC, "stepped", ("", SET, "5")),
            "checked only": stepped(TOPIC, "stepped", ("retention.ms", SET, "1"), only_check=True),
            "unknown setting": stepped(TOPIC, "stepped", ("no.such", SET, "1")),
            "bad value": stepped(TOPIC, "stepped", ("retention.ms", SET, "x")),
            "one good, one bad": stepped(TOPIC, "stepped", ("segment.bytes", SET, "3000000"),
                                         ("retention.ms", SET, "x")),
            "setting twice": stepped(TOPIC, "stepped", ("retention.ms", SET, "1"),
                                     ("retention.ms", SET, "2")),
            "set and delete": stepped(TOPIC, "stepped", ("retention.ms", SET, "1"),
                                      ("retention.ms", DELETE, None)),
            "nothing": stepped(TOPIC, "stepped"),
            "unknown topic": stepped(TOPIC, "nobody", ("retention.ms", SET, "1")),
            "bad topic": stepped(TOPIC, "a/b", ("retention.ms", SET, "1")),
            "no topic": stepped(TOPIC, "", ("retention.ms", SET, "1")),
            "kind 0": stepped(0, "x", ("a", SET, "b")), "kind 99": stepped(99, "x", ("a", SET, "b")),
            "broker x": stepped(BROKER, "x", ("a", SET, "b")),
            "broker 7": stepped(BROKER, "7", ("a", SET, "b")), "none": {"Resources": []},
            "twice": {"Resources": stepped(TOPIC, "stepped", ("retention.ms", SET, "7"))["Resources"] * 2},
    }.items():
        with p.part(name):
            p.each("IncrementalAlterConfigs", request)
            p.newest("DescribeConfigs", show)


def log_dirs(p):
    p.topic("in-dirs", 2)
    def at(name, *partitions):
        return {"Topics": [{"Topic": name, "Partitions": list(partitions)}]}
    each_part(p, "DescribeLogDirs", {"one": at("in-dirs", 0), "both": at("in-dirs", 0, 1),
                                     "unknown partition": at("in-dirs", 7), "unknown": at("nobody", 0),
                                     "no partitions": at("in-dirs"), "none": {"Topics": []}})
    def moved(path, name, *partitions):
        return {"Dirs": [{"Path": path, "Topics": [{"Name": name, "Partitions": list(partitions)}]}]}
    each_part(p, "AlterReplicaLogDirs", {
        "unknown dir": moved("/nowhere", "in-dirs", 0), "relative": moved("nowhere", "in-dirs", 0),
        "unknown topic": moved("/nowhere", "nobody", 0), "unknown partition": moved("/nowhere", "in-dirs", 9),
        "none": {"Dirs": []}})


def elections(p):
    p.topic("elected", 2)
    def elect(kind, name, *partitions):
        return {"ElectionType": kind, "TimeoutMs": 5000, "TopicPartitions": [
            {"Topic": name, "Partitions": list(partitions)}]}
    each_part(p, "ElectLeaders", {
        "preferred": elect(0, "elected", 0), "both": elect(0, "elected", 0, 1),
        "unclean": elect(1, "elected", 0), "kind 2": elect(2, "elected", 0),
        "unknown partition": elect(0, "elected", 9), "unknown": elect(0, "nobody", 0),
        "no partitions": elect(0, "elected"),
        "none": {"TimeoutMs": 5000, "TopicPartitions": []}})


def reassignments(p):
    p.topic("reassigned", 2)
    def move(name, partition, replicas):
        return {"TimeoutMs": 5000, "Topics": [{"Name": name, "Partitions": [
            {"PartitionIndex": partition, "Replicas": replicas}]}]}
    each_part(p, "AlterPartitionReassignments", {
        "same": move("reassigned", 0, [1]), "cancel": move("reassigned", 0, None),
        "unknown broker": move("reassigned", 0, [5]), "empty": move("reassigned", 0, []),
        "twice the same": move("reassigned", 0, [1, 1]), "negative": move("reassigned", 0, [-1]),
        "unknown partition": move("reassigned", 9, [1]), "unknown": move("nobody", 0, [1]),
        "cancel unknown": move("nobody", 0, None), "none": {"TimeoutMs": 5000, "Topics": []}})
    each_part(p, "ListPartitionReassignments", {
        "all": {"TimeoutMs": 5000, "Topics": None},
        "one": {"TimeoutMs": 5000, "Topics": [{"Name": "reassigned", "PartitionIndexes": [0]}]},
        "unknown": {"TimeoutMs": 5000, "Topics": [{"Name": "nobody", "PartitionIndexes": [0]}]},
        "none": {"TimeoutMs": 5000, "Topics": []}})


def quotas(p):
    def changed(entity, *ops, only_check=False):
        return {"ValidateOnly": only_check, "Entries": [{
            "Entity": [{"EntityType": kind, "EntityName": name} for kind, name in entity],
            "Ops": [{"Key": key, "Value": value or 0.0, "Remove": value is None}
                    for key, value in ops]}]}
    def asked(*components, strict=False):
        return {"Strict": strict, "Components": [
            {"EntityType": kind, "MatchType": match, "Match": name} for kind, match, name in components]}
    rate = "producer_byte_rate"
    each_part(p, "AlterClientQuotas", {
        "user": changed([("user", "anna")], (rate, 1e9)),
        "default user": changed([("user", None)], (rate, 2e9)),
        "client": changed([("client-id", "c")], ("consumer_byte_rate", 3e9)),
        "both": changed([("user", "anna"), ("client-id", "c")], ("request_percentage", 2000.0)),
        "ip": changed([("ip", "10.0.0.1")], ("connection_creation_rate", 1e6)),
        "ip and user": changed([("ip", "10.0.0.1"), ("user", "a")], ("connection_creation_rate", 1e6)),
        "ip with bytes": changed([("ip", "10.0.0.1")], (rate, 1e6)),
        "ip not one": changed([("ip", "not an address")], ("connection_creation_rate", 1e6)),
        "user with connections": changed([("user", "anna")], ("connection_creation_rate", 5.0)),
        "unknown key": changed([("user", "anna")], ("no_such", 5.0)),
        "unknown kind": changed([("group", "anna")], (rate, 5.0)),
        "no entity": changed([], (rate, 5.0)), "empty kind": changed([("", "x")], (rate, 5.0)),
        "empty name": changed([("user", "")], (rate, 1e9)),
        "kind twice": changed([("user", "a"), ("user", "b")], (rate, 5.0)),
        "zero": changed([("user", "zero")], (rate, 0.0)), "negative": changed([("user", "z")], (rate, -1.0)),
        "fraction": changed([("user", "z")], (rate, 1.5)),
        "nan": changed([("user", "z")], (rate, float("nan"))),
        "controller": changed([("user", "anna")], ("controller_mutation_rate", 1e6)),
        "no ops": changed([("user", "anna")]), "removes": changed([("user", "anna")], (rate, None)),
        "removes what is not there": changed([("user", "nobody")], (rate, None)),
        "removes unknown": changed([("user", "anna")], ("no_such", None)),
        "checked only": changed([("user", "check")], (rate, 1e9), only_check=True),
        "key twice": changed([("user", "anna")], (rate, 1e9), (rate, 2e9)),
        "none": {"Entries": []}})
    each_part(p, "DescribeClientQuotas", {
        "all": asked(), "users": asked(("user", 2, None)), "anna": asked(("user", 0, "anna")),
        "anna only": asked(("user", 0, "anna"), strict=True), "default": asked(("user", 1, None)),
        "both": asked(("user", 0, "anna"), ("client-id", 0, "c")),
        "ips": asked(("ip", 2, None)), "ip and user": asked(("ip", 2, None), ("user", 2, None)),
        "nobody": asked(("user", 0, "nobody")), "unknown kind": asked(("group", 0, "x")),
        "empty kind": asked(("", 0, "x")), "kind twice": asked(("user", 0, "a"), ("user", 0, "b")),
        "match 3": asked(("user", 3, "a")), "match -1": asked(("user", -1, "a")),
        "exact null": asked(("user", 0, None)), "default with a name": asked(("user", 1, "x")),
        "strict all": asked(strict=True)})
    for entity in ([("user", "anna")], [("user", None)], [("client-id", "c")], [("user", "")],
                   [("user", "anna"), ("client-id", "c")], [("ip", "10.0.0.1")]):
        p.exchange("AlterClientQuotas", 1, changed(entity, *((key, None) for key in (
            rate, "consumer_byte_rate", "request_percentage"))), "main")


def features(p):
    def update(name, level, kind=1, only_check=True):
        return {"timeoutMs": 5000, "ValidateOnly": only_check, "FeatureUpdates": [
            {"Feature": name, "MaxVersionLevel": level, "UpgradeType": kind}]}
    each_part(p, "UpdateFeatures", {
        "same": update("transaction.version", 2), "too high": update("transaction.version", 99),
        "unknown": update("no.such", 1), "down": update("transaction.version", 1, 1),
        "safe downgrade": update("transaction.version", 1, 2), "negative": update("transaction.version", -1),
        "kind 0": update("transaction.version", 1, 0), "kind 9": update("transaction.version", 1, 9),
        "no name": update("", 1), "none": {"timeoutMs": 5000, "FeatureUpdates": []}})


def config_resources(p):
    each_part(p, "ListConfigResources", {
        "topics": {"ResourceTypes": [TOPIC]}, "groups": {"ResourceTypes": [32]},
        "brokers": {"ResourceTypes": [BROKER]}, "loggers": {"ResourceTypes": [LOGGER]},
        "kind 77": {"ResourceTypes": [77]}, "kind 0": {"ResourceTypes": [0]}})


def topic_partitions(p):
    p.topic("listed-a", 2)
    p.topic("listed-b", 3)
    def asked(*names, limit=2000, cursor=None):
        return {"Topics": [{"Name": name} for name in names], "ResponsePartitionLimit": limit,
                "Cursor": cursor and {"TopicName": cursor[0], "PartitionIndex": cursor[1]}}
    each_part(p, "DescribeTopicPartitions", {
        "two": asked("listed-a", "listed-b"), "limited": asked("listed-a", "listed-b", limit=3),
        "limit 0": asked("listed-a", limit=0), "limit -1": asked("listed-a", limit=-1),
        "limit 1": asked("listed-a", limit=1), "unknown": asked("nobody"), "bad name": asked("a/b"),
        "twice": asked("listed-a", "listed-a"),
        "cursor": asked("listed-a", "listed-b", cursor=("listed-b", 1)),
        "cursor of no such topic": asked("listed-a", "listed-b", cursor=("listed-aa", 0)),
        "cursor past partitions": asked("listed-a", "listed-b", cursor=("listed-a", 9)),
        "cursor negative": asked("listed-a", cursor=("listed-a", -1)),
        "cursor past all": asked("listed-a", cursor=("z", 0))})


CASES = (metadata, auto_created, describe_cluster, create_topics, create_with_configs, delete_topics,
         create_partitions, describe_configs, alter_configs, alter_configs_by_steps, log_dirs,
         elections, reassignments, quotas, features, config_resources, topic_partitions)
