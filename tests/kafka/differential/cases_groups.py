# SPDX-License-Identifier: Apache-2.0
"""Classic groups and their offsets."""
from cases_admin import each_part


def joined(group, member="", instance=None, kind="consumer", protocols=("range",), session=30000,
           rebalance=30000):
    return {"GroupId": group, "SessionTimeoutMs": session, "RebalanceTimeoutMs": rebalance,
            "MemberId": member, "GroupInstanceId": instance, "ProtocolType": kind,
            "Protocols": [{"Name": name, "Metadata": b"meta"} for name in protocols]}


def synced(group, generation, member, instance=None, kind="consumer", name="range", assignments=()):
    return {"GroupId": group, "GenerationId": generation, "MemberId": member,
            "GroupInstanceId": instance, "ProtocolType": kind, "ProtocolName": name,
            "Assignments": [{"MemberId": who, "Assignment": what} for who, what in assignments]}


def beat(group, generation, member, instance=None):
    return {"GroupId": group, "GenerationId": generation, "MemberId": member,
            "GroupInstanceId": instance}


def left(group, *members):
    return {"GroupId": group, "MemberId": members[0][0] if members else "", "Members": [
        {"MemberId": member, "GroupInstanceId": instance} for member, instance in members]}


def committed(group, generation=-1, member="", instance=None, topic="offsets", partition=0, offset=5,
              metadata="", topic_id=None, epoch=-1):
    return {"GroupId": group, "GenerationIdOrMemberEpoch": generation, "MemberId": member,
            "GroupInstanceId": instance, "Topics": [{
                "Name": topic, "TopicId": topic_id or bytes(16), "Partitions": [
                    {"PartitionIndex": partition, "CommittedOffset": offset,
                     "CommittedLeaderEpoch": epoch, "CommittedMetadata": metadata}]}]}


def offsets_asked(group, topics, stable=False, member=None, epoch=-1):
    """OffsetFetch of a group; topics: name, id, partitions, or None for all."""
    named = topics if topics is None else [
        {"Name": name, "PartitionIndexes": list(partitions)} for name, _, partitions in topics]
    both = topics if topics is None else [
        {"Name": name, "TopicId": which, "PartitionIndexes": list(partitions)}
        for name, which, partitions in topics]
    return {"GroupId": group, "Topics": named, "RequireStable": stable, "Groups": [
        {"GroupId": group, "MemberId": member, "MemberEpoch": epoch, "Topics": both}]}


def join(p, version, group, **more):
    """A member of its own, by the two steps that later versions want."""
    answer = p.ask("JoinGroup", version, joined(group, **more))
    member = answer.pick(lambda a: a["MemberId"], "")
    if answer.sides[0]["ErrorCode"] == 79:
        answer = p.ask("JoinGroup", version, joined(group, member=member, **more))
    return member, answer.pick(lambda a: a["GenerationId"])


def group_life(p):
    """One member's way through a group, in each version."""
    for version in p.versions("JoinGroup"):
        group = f"life-{version}"
        member, generation = join(p, version, group)
        nearest = {api: min(version, p.versions(api)[-1]) for api in ("SyncGroup", "Heartbeat", "LeaveGroup")}
        p.newest("DescribeGroups", {"Groups": [group]})
        for name, request in {
                "unknown member": synced(group, generation, "nobody"),
                "stale": synced(group, 77, member), "no member": synced(group, generation, ""),
                "wrong kind": synced(group, generation, member, kind="connect", name="range"),
                "wrong protocol": synced(group, generation, member, kind="consumer", name="other"),
                "good": synced(group, generation, member,
                               assignments=[(member, b"mine")]),
                "no kind": synced(group, generation, member, kind=None),
                "again": synced(group, generation, member)}.items():
            with p.part(f"sync {name}"):
                p.ask("SyncGroup", nearest["SyncGroup"], request)
        for name, request in {
                "good": beat(group, generation, member), "stale": beat(group, 77, member),
                "unknown member": beat(group, generation, "nobody"),
                "no member": beat(group, generation, ""), "unknown group": beat("no-group", 1, member),
                "no group": beat("", 1, member),
                "instance": beat(group, generation, member, "static")}.items():
            with p.part(f"beat {name}"):
                p.ask("Heartbeat", nearest["Heartbeat"], request)
        p.newest("DescribeGroups", {"Groups": [group]})
        with p.part("join another kind"):
            p.ask("JoinGroup", version, joined(group, kind="connect"))
        with p.part("join another protocol"):
            p.ask("JoinGroup", version, joined(group, protocols=("roundrobin",)))
        with p.part("join as unknown"):
            p.ask("JoinGroup", version, joined(group, member="nobody"))
        for name, request in {
                "unknown": left(group, ("nobody", None)), "no group": left("", (member, None)),
                "unknown group": left("no-group", (member, None)),
                "unknown instance": left(group, ("", "static")),
                "good": left(group, (member, None)), "again": left(group, (member, None))}.items():
            with p.part(f"leave {name}"):
                p.ask("LeaveGroup", nearest["LeaveGroup"], request)
        p.newest("DescribeGroups", {"Groups": [group]})


def joins(p):
    each_part(p, "JoinGroup", {
        "no group": joined(""), "no kind": joined("j", kind=""), "no protocols": joined("j", protocols=()),
        "short session": joined("j", session=1), "long session": joined("j", session=1 << 30),
        "negative session": joined("j", session=-1), "unknown member": joined("j", member="nobody"),
        "bad group": joined("a/b", session=1)})


def static_members(p):
    for version in p.versions("JoinGroup", 5):
        group = f"static-{version}"
        member, generation = join(p, version, group, instance="one")
        p.newest("SyncGroup", synced(group, generation, member, "one", "consumer", "range",
                                     [(member, b"mine")]))
        with p.part("beat as another"):
            p.newest("Heartbeat", beat(group, generation, "another", "one"))
        with p.part("beat as unknown instance"):
            p.newest("Heartbeat", beat(group, generation, member, "two"))
        with p.part("fenced by a new one"):
            again, generation = join(p, version, group, instance="one")
            p.newest("Heartbeat", beat(group, generation, member, "one"))
            p.newest("SyncGroup", synced(group, generation, member, "one", "consumer", "range"))
            p.newest("OffsetCommit", committed(group, generation, member, "one"))
            p.newest("Heartbeat", beat(group, generation, again, "one"))
        p.newest("DescribeGroups", {"Groups": [group]})
        with p.part("leave by instance"):
            p.newest("LeaveGroup", left(group, ("", "one"), ("", "two"), ("nobody", "one")))
            p.newest("LeaveGroup", left(group, ("", "one")))


def two_members(p):
    version = p.versions("JoinGroup")[-1]
    first, generation = join(p, version, "two", protocols=("a", "b"))
    p.newest("SyncGroup", synced("two", generation, first, None, "consumer", "a", [(first, b"x")]))
    second = p.ask("JoinGroup", version, joined("two", protocols=("b", "a")), on="second")
    second = second.pick(lambda a: a["MemberId"], "")
    p.send("JoinGroup", version, joined("two", member=second, protocols=("b", "a")), on="second")
    p.prepare("DescribeGroups", 5, {"Groups": ["two"]},
              lambda a: a["Groups"][0]["GroupState"] == "PreparingRebalance")
    with p.part("while it is prepared"):
        p.newest("Heartbeat", beat("two", generation, first))
        p.newest("SyncGroup", synced("two", generation, first, None, "consumer", "a"))
        p.newest("OffsetCommit", committed("two", generation, first))
    answer = p.ask("JoinGroup", version, joined("two", member=first, protocols=("a", "b")))
    p.receive("JoinGroup", version, on="second")
    generation = answer.pick(lambda a: a["GenerationId"])
    with p.part("completing"):
        p.newest("Heartbeat", beat("two", generation, first))
        p.newest("OffsetCommit", committed("two", generation, first))
        p.send("SyncGroup", p.versions("SyncGroup")[-1], synced("two", generation, second, None, "consumer", "a"), on="second")
        p.newest("SyncGroup", synced("two", generation, first, None, "consumer", "a", [
            (first, b"x"), (second, b"y")]))
        p.receive("SyncGroup", p.versions("SyncGroup")[-1], on="second")
    p.newest("DescribeGroups", {"Groups": ["two"]})
    p.newest("LeaveGroup", left("two", (first, None), (second, None)))


def offsets(p):
    topic_id = p.topic("offsets", 2)
    for name, request in {
            "simple": committed("plain", topic_id=topic_id),
            "metadata": committed("plain", partition=1, metadata="note", topic_id=topic_id, epoch=0),
            "null metadata": committed("plain", partition=1, metadata=None, topic_id=topic_id),
            "long metadata": committed("plain", metadata="m" * 5000, topic_id=topic_id),
            "negative": committed("plain", offset=-1, topic_id=topic_id),
            "very negative": committed("plain", offset=-100, topic_id=topic_id),
            "partition 9": committed("plain", partition=9, topic_id=topic_id),
            "partition -1": committed("plain", partition=-1, topic_id=topic_id),
            "unknown topic": committed("plain", topic="nobody", topic_id=b"\x09" * 16),
            "bad topic": committed("plain", topic="a/b"), "no group": committed("", topic_id=topic_id),
            "generation": committed("plain", 5, topic_id=topic_id),
            "member": committed("plain", -1, "someone", topic_id=topic_id),
            "generation and member": committed("plain", 5, "someone", topic_id=topic_id),
            "unknown group with member": committed("nobody", 1, "someone", topic_id=topic_id),
            "instance": committed("plain", -1, "", "static", topic_id=topic_id),
            "no topics": {"GroupId": "plain", "GenerationIdOrMemberEpoch": -1, "Topics": []}}.items():
        with p.part(name):
            p.each("OffsetCommit", request)
    mine = [("offsets", topic_id, (0, 1))]
    each_part(p, "OffsetFetch", {
        "both": offsets_asked("plain", mine), "partition 9": offsets_asked("plain", [("offsets", topic_id, (9, -1))]),
        "unknown topic": offsets_asked("plain", [("nobody", b"\x09" * 16, (0,))]),
        "unknown group": offsets_asked("no-such", mine), "no group": offsets_asked("", mine),
        "stable": offsets_asked("plain", mine, True), "no topics": offsets_asked("plain", []),
        "member": offsets_asked("plain", mine, member="someone", epoch=3)})
    with p.part("all"):
        p.each("OffsetFetch", offsets_asked("plain", None), low=2)
    with p.part("all of no group"):
        p.each("OffsetFetch", offsets_asked("no-such", None), low=2)
    def deleted(group, name, *partitions):
        return {"GroupId": group, "Topics": [{"Name": name, "Partitions": [
            {"PartitionIndex": i} for i in partitions]}]}
    each_part(p, "OffsetDelete", {
        "partition 9": deleted("plain", "offsets", 9), "unknown topic": deleted("plain", "nobody", 0),
        "unknown group": deleted("no-such", "offsets", 0), "no group": deleted("", "offsets", 0),
        "one": deleted("plain", "offsets", 1), "again": deleted("plain", "offsets", 1),
        "none": {"GroupId": "plain", "Topics": []}})
    with p.part("after"):
        p.newest("OffsetFetch", offsets_asked("plain", mine))


def members_offsets(p):
    topic_id = p.topic("member-offsets")
    version = p.versions("JoinGroup")[-1]
    member, generation = join(p, version, "committing")
    p.newest("SyncGroup", synced("committing", generation, member, assignments=[(member, b"x")]))
    for name, request in {
            "good": committed("committing", generation, member, topic="member-offsets", topic_id=topic_id),
            "stale": committed("committing", 0, member, topic="member-offsets", topic_id=topic_id),
            "future": committed("committing", 99, member, topic="member-offsets", topic_id=topic_id),
            "unknown member": committed("committing", generation, "nobody", topic="member-offsets",
                                        topic_id=topic_id),
            "simple": committed("committing", -1, "", topic="member-offsets", topic_id=topic_id),
            "no generation": committed("committing", -1, member, topic="member-offsets",
                                       topic_id=topic_id)}.items():
        with p.part(name):
            p.each("OffsetCommit", request)
    with p.part("delete subscribed"):
        p.newest("OffsetDelete", {"GroupId": "committing", "Topics": [
            {"Name": "member-offsets", "Partitions": [{"PartitionIndex": 0}]}]})
    with p.part("delete a live group"):
        p.each("DeleteGroups", {"GroupsNames": ["committing"]})
    p.newest("LeaveGroup", left("committing", (member, None)))


def group_admin(p):
    each_part(p, "DescribeGroups", {
        "unknown": {"Groups": ["no-such"]}, "no name": {"Groups": [""]}, "none": {"Groups": []},
        "operations": {"Groups": ["plain"], "IncludeAuthorizedOperations": True},
        "two": {"Groups": ["plain", "no-such"]}, "twice": {"Groups": ["plain", "plain"]}})
    each_part(p, "ListGroups", {
        "all": {}, "empty": {"StatesFilter": ["Empty"]}, "stable": {"StatesFilter": ["Stable"]},
        "lower case": {"StatesFilter": ["empty"]}, "no such state": {"StatesFilter": ["Nothing"]},
        "classic": {"TypesFilter": ["classic"]}, "consumer": {"TypesFilter": ["Consumer"]},
        "no such type": {"TypesFilter": ["nothing"]}})
    each_part(p, "DeleteGroups", {"unknown": {"GroupsNames": ["no-such"]}, "no name": {"GroupsNames": [""]},
                                  "none": {"GroupsNames": []}, "one": {"GroupsNames": ["plain"]},
                                  "twice": {"GroupsNames": ["no-such", "no-such"]}})


def coordinators(p):
    each_part(p, "FindCoordinator", {
        name: {"Key": key, "KeyType": kind, "CoordinatorKeys": [key]} for name, key, kind in (
            ("group", "g", 0), ("no group", "", 0), ("transaction", "t", 1), ("no transaction", "", 1),
            ("kind 3", "x", 3), ("kind 99", "x", 99), ("kind -1", "x", -1))})
    with p.part("several"):
        p.each("FindCoordinator", {"CoordinatorKeys": ["a", "b", "a", ""]}, low=4)
    with p.part("none"):
        p.each("FindCoordinator", {"CoordinatorKeys": []}, low=4)


CASES = (coordinators, group_life, joins, static_members, two_members, offsets, members_offsets,
         group_admin)
