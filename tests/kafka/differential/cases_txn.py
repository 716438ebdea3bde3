# SPDX-License-Identifier: Apache-2.0
"""Transactions, the old way and the new."""
import batch as b
from cases_admin import each_part
from cases_groups import committed, offsets_asked
from cases_log import fetched, listed, produced

NOBODY = (4711, 0)


def begin(p, name, version=None, timeout=60000, owner=(-1, -1)):
    """The producer's id and epoch."""
    version = version or p.versions("InitProducerId")[-1]
    request = {"TransactionalId": name, "TransactionTimeoutMs": timeout, "ProducerId": owner[0],
               "ProducerEpoch": owner[1]}
    answer = p.ask("InitProducerId", version, request)
    return answer.pick(lambda a: a["ProducerId"]), answer.pick(lambda a: a["ProducerEpoch"])


def of(owner, name, **more):
    return {"TransactionalId": name, "ProducerId": owner[0], "ProducerEpoch": owner[1], **more}


def added(owner, name, *topics):
    topics = [{"Name": topic, "Partitions": list(partitions)} for topic, partitions in topics]
    return {"V3AndBelowTransactionalId": name, "V3AndBelowProducerId": owner[0],
            "V3AndBelowProducerEpoch": owner[1], "V3AndBelowTopics": topics}


def written(p, owner, sequence, epoch=None):
    def make(side):
        at = owner[1] if epoch is None else epoch
        return b.batch(producer=(owner[0].sides[side], at if isinstance(at, int) else at.sides[side]),
                       sequence=sequence, attributes=b.TRANSACTIONAL)
    return p.for_each(make)


def init_producer_ids(p):
    def init(name, timeout=60000, pid=-1, epoch=-1, **more):
        return {"TransactionalId": name, "TransactionTimeoutMs": timeout, "ProducerId": pid,
                "ProducerEpoch": epoch, **more}
    each_part(p, "InitProducerId", {
        "idempotent": init(None), "transactional": init("init"), "again": init("init"),
        "no name": init(""), "no time": init("init", 0), "negative time": init("init", -1),
        "too long": init("init", 1 << 30), "idempotent without time": init(None, 0)})
    for version in p.versions("InitProducerId", 3):
        for name, request in {
                "unknown owner": init("owned", 60000, 4711, 0), "id alone": init("owned", 60000, 4711, -1),
                "epoch alone": init("owned", 60000, -1, 5), "idempotent owner": init(None, 60000, 4711, 0),
                "negative owner": init("owned", 60000, -5, 0)}.items():
            with p.part(name):
                p.ask("InitProducerId", version, request)
        with p.part("bumped"):
            name = f"bumped-{version}"
            owner = begin(p, name, version)
            newer = begin(p, name, version, owner=owner)
            begin(p, name, version, owner=owner)
            begin(p, name, version, owner=newer)


def refused(p):
    """What a transaction does not take, in every version."""
    p.topic("txn", 2)
    owner = begin(p, "refused")
    stale = (owner[0], p.for_each(lambda side: owner[1].sides[side] + 5))
    older = (owner[0], -1)
    for who, name, of_whom in (("nobody", "nobody", NOBODY), ("wrong id", "refused", NOBODY),
                               ("future epoch", "refused", stale), ("epoch -1", "refused", older),
                               ("no name", "", owner)):
        with p.part(who):
            p.each("AddPartitionsToTxn", added(of_whom, name, ("txn", (0,))))
            p.each("AddOffsetsToTxn", of(of_whom, name, GroupId="g"))
            for commit in (True, False):
                p.each("EndTxn", of(of_whom, name, Committed=commit))
            p.each("TxnOffsetCommit", txn_commit(of_whom, name, "g", topic="txn"))
    with p.part("nothing begun"):
        p.each("EndTxn", of(owner, "refused", Committed=True))
        p.each("EndTxn", of(owner, "refused", Committed=False))
        p.each("TxnOffsetCommit", txn_commit(owner, "refused", "g", topic="txn"))
    with p.part("partitions"):
        for version in p.versions("AddPartitionsToTxn"):
            p.ask("AddPartitionsToTxn", version, added(owner, "refused", ("txn", (7,)), ("nobody", (0,))))
            p.ask("AddPartitionsToTxn", version, added(owner, "refused", ("txn", (0, 7))))
            p.ask("AddPartitionsToTxn", version, added(owner, "refused"))
    with p.part("empty group"):
        p.each("AddOffsetsToTxn", of(owner, "refused", GroupId=""))
    p.newest("DescribeTransactions", {"TransactionalIds": ["refused"]})


def txn_commit(owner, name, group, generation=-1, member="", instance=None, **more):
    request = committed(group, topic=more.get("topic", "txn"), partition=more.get("partition", 0))
    topics = [{"Name": t["Name"], "Partitions": t["Partitions"]} for t in request["Topics"]]
    return of(owner, name, GroupId=group, GenerationId=generation, MemberId=member,
              GroupInstanceId=instance, Topics=topics)


def show(p, name, topic_id):
    """All that can be seen of a transaction from outside."""
    p.newest("DescribeTransactions", {"TransactionalIds": [name]})
    for isolation in (0, 1):
        p.newest("Fetch", fetched("old-flow", topic_id, IsolationLevel=isolation))
        p.newest("ListOffsets", listed("old-flow", -1, isolation=isolation))


def old_flow(p):
    """Partitions are added before they are written to, the epoch stays."""
    topic_id = p.topic("old-flow", 2)
    name = "old"
    owner = begin(p, name, 4)
    with p.part("not added"):
        p.ask("Produce", 11, produced("old-flow", written(p, owner, 0), transactional_id=name))
    with p.part("added"):
        p.ask("AddPartitionsToTxn", 3, added(owner, name, ("old-flow", (0,))))
        p.newest("DescribeTransactions", {"TransactionalIds": [name]})
        p.ask("Produce", 11, produced("old-flow", written(p, owner, 0), transactional_id=name))
        show(p, name, topic_id)
    with p.part("another partition"):
        p.ask("Produce", 11, produced("old-flow", written(p, owner, 0), 1, transactional_id=name))
    with p.part("without the name"):
        p.ask("Produce", 11, produced("old-flow", written(p, owner, 1)))
    with p.part("with another name"):
        p.ask("Produce", 11, produced("old-flow", written(p, owner, 1), transactional_id="other"))
    with p.part("not transactional"):
        plain = p.for_each(lambda side: b.batch(producer=(owner[0].sides[side], owner[1].sides[side]),
                                                sequence=1))
        p.ask("Produce", 11, produced("old-flow", plain, transactional_id=name))
    with p.part("offsets"):
        p.ask("TxnOffsetCommit", 4, txn_commit(owner, name, "txn-group", topic="old-flow"))
        p.ask("AddOffsetsToTxn", 3, of(owner, name, GroupId="txn-group"))
        p.ask("TxnOffsetCommit", 4, txn_commit(owner, name, "txn-group", topic="old-flow"))
        p.ask("TxnOffsetCommit", 4, txn_commit(owner, name, "txn-group", 5, "nobody", topic="old-flow"))
        p.ask("TxnOffsetCommit", 4, txn_commit(owner, name, "txn-group", topic="nobody"))
        p.ask("TxnOffsetCommit", 4, txn_commit(owner, name, "txn-group", topic="old-flow", partition=9))
        for version in p.versions("OffsetFetch", 7):
            for stable in (False, True):
                p.ask("OffsetFetch", version, offsets_asked(
                    "txn-group", [("old-flow", topic_id, (0,))], stable))
    with p.part("committed"):
        p.ask("EndTxn", 4, of(owner, name, Committed=True))
        await_end(p, name)
        show(p, name, topic_id)
        p.ask("EndTxn", 4, of(owner, name, Committed=True))
        p.ask("EndTxn", 4, of(owner, name, Committed=False))
    with p.part("aborted"):
        p.ask("AddPartitionsToTxn", 3, added(owner, name, ("old-flow", (0,))))
        p.ask("Produce", 11, produced("old-flow", written(p, owner, 1), transactional_id=name))
        p.ask("EndTxn", 4, of(owner, name, Committed=False))
        await_end(p, name)
        show(p, name, topic_id)
        p.each("Fetch", fetched("old-flow", topic_id, IsolationLevel=1))
    with p.part("fenced"):
        p.ask("AddPartitionsToTxn", 3, added(owner, name, ("old-flow", (0,))))
        p.ask("Produce", 11, produced("old-flow", written(p, owner, 2), transactional_id=name))
        p.prepare("InitProducerId", 4, {"TransactionalId": name, "TransactionTimeoutMs": 60000},
                  lambda a: a["ErrorCode"] == 0)
        await_end(p, name)
        p.ask("Produce", 11, produced("old-flow", written(p, owner, 3), transactional_id=name))
        p.ask("AddPartitionsToTxn", 3, added(owner, name, ("old-flow", (0,))))
        p.ask("EndTxn", 4, of(owner, name, Committed=True))
        show(p, name, topic_id)


def await_end(p, name):
    p.prepare("DescribeTransactions", 0, {"TransactionalIds": [name]}, lambda a: all(
        t["TransactionState"] in ("Empty", "CompleteCommit", "CompleteAbort")
        for t in a["TransactionStates"]))


def new_flow(p):
    """Producing adds the partition, each transaction has an epoch of its own (KIP-890)."""
    topic_id = p.topic("new-flow", 2)
    name = "new"
    owner = begin(p, name)
    for commit in (True, False, True):
        with p.part("commit" if commit else "abort"):
            p.newest("Produce", produced("new-flow", written(p, owner, 0), topic_id=topic_id,
                                         transactional_id=name))
            p.newest("DescribeTransactions", {"TransactionalIds": [name]})
            p.newest("TxnOffsetCommit", txn_commit(owner, name, "new-group", topic="new-flow"))
            answer = p.newest("EndTxn", of(owner, name, Committed=commit))
            before, owner = owner, (owner[0], answer.pick(lambda a: a["ProducerEpoch"]))
            await_end(p, name)
            p.newest("DescribeTransactions", {"TransactionalIds": [name]})
            p.newest("Fetch", fetched("new-flow", topic_id, IsolationLevel=1))
            with p.part("ended again"):
                p.newest("EndTxn", of(before, name, Committed=commit))
                p.newest("EndTxn", of(before, name, Committed=not commit))
            with p.part("with the old epoch"):
                p.newest("Produce", produced("new-flow", written(p, before, 1), topic_id=topic_id,
                                             transactional_id=name))
    with p.part("sequence 5 first"):
        p.newest("Produce", produced("new-flow", written(p, owner, 5), topic_id=topic_id,
                                     transactional_id=name))
    with p.part("future epoch"):
        epoch = p.for_each(lambda side: owner[1].sides[side] + 3)
        p.newest("Produce", produced("new-flow", written(p, (owner[0], epoch), 0), topic_id=topic_id,
                                     transactional_id=name))
    with p.part("empty"):
        p.newest("EndTxn", of(owner, name, Committed=False))
    p.newest("OffsetFetch", offsets_asked("new-group", [("new-flow", topic_id, (0,))], True))


def transactions_seen(p):
    each_part(p, "DescribeTransactions", {
        "unknown": {"TransactionalIds": ["no-such"]}, "no name": {"TransactionalIds": [""]},
        "none": {"TransactionalIds": []}, "two": {"TransactionalIds": ["old", "no-such"]},
        "twice": {"TransactionalIds": ["old", "old"]}})
    each_part(p, "ListTransactions", {
        "all": {"DurationFilter": -1}, "ongoing": {"StateFilters": ["Ongoing"], "DurationFilter": -1},
        "no such state": {"StateFilters": ["Nothing", "Empty"], "DurationFilter": -1},
        "producer": {"ProducerIdFilters": [123456], "DurationFilter": -1},
        "old": {"DurationFilter": 3600000}, "duration 0": {"DurationFilter": 0},
        "duration -5": {"DurationFilter": -5}})


def markers(p):
    p.topic("marked")
    def marker(topic, partition, pid, epoch=0, commit=True, coordinator=0):
        return {"Markers": [{"ProducerId": pid, "ProducerEpoch": epoch, "TransactionResult": commit,
                             "CoordinatorEpoch": coordinator,
                             "Topics": [{"Name": topic, "PartitionIndexes": [partition]}]}]}
    each_part(p, "WriteTxnMarkers", {
        "unknown topic": marker("nobody", 0, 77), "unknown partition": marker("marked", 9, 77),
        "of nobody": marker("marked", 0, 4712), "old coordinator": marker("marked", 0, 4712, coordinator=-1),
        "bad name": marker("a/b", 0, 77), "none": {"Markers": []}})


CASES = (init_producer_ids, refused, old_flow, new_flow, transactions_seen, markers)
