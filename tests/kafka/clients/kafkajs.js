// SPDX-License-Identifier: Apache-2.0
// kafkajs against sluice: topics, codecs, keys, times, groups, transactions.
//
// usage: kafkajs.js HOST:PORT		(NODE_PATH: where kafkajs is)
'use strict'

const assert = require('assert')
const crypto = require('crypto')
const { Kafka, CompressionTypes, CompressionCodecs, ConfigResourceTypes, Partitioners, logLevel } = require('kafkajs')

CompressionCodecs[CompressionTypes.Snappy] = require('kafkajs-snappy')

const RUN = crypto.randomBytes(4).toString('hex')
const kafka = new Kafka({ brokers: [process.argv[2]], clientId: 'kafkajs-test', logLevel: logLevel.NOTHING })
const admin = kafka.admin()
// The time of records; old ones would be deleted.
const START = Date.now() - 3600000
const cases = {}

async function create(name, partitions = 1, entries = []) {
  const topic = `kj-${name}-${RUN}`
  const created = await admin.createTopics({
    waitForLeaders: true, topics: [{ topic, numPartitions: partitions, configEntries: entries }]
  })
  assert.strictEqual(created, true)
  return topic
}

function openProducer(settings = {}) {
  return kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, ...settings })
}

async function produce(topic, messages, settings = {}, send = {}) {
  const producer = openProducer(settings)
  await producer.connect()
  const answer = await producer.send({ topic, messages, ...send })
  await producer.disconnect()
  return answer
}

// Until so many records came, of a group of its own.
async function read(topic, count, { group = `kj-read-${crypto.randomBytes(4).toString('hex')}`, begin, ...settings } = {}) {
  const consumer = kafka.consumer({ groupId: group, ...settings })
  const records = []

  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const done = new Promise((resolve) => {
    consumer.run({
      eachMessage: async ({ partition, message }) => {
        records.push({ partition, ...message })
        if (records.length === count) resolve()
      }
    })
  })
  if (begin) begin(consumer)
  await done
  await consumer.disconnect()
  return records
}

cases['topic create list delete'] = async () => {
  const topic = await create('admin', 4)
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  assert.strictEqual(topics[0].partitions.length, 4)
  await admin.createPartitions({ topicPartitions: [{ topic, count: 6 }] })
  assert.strictEqual((await admin.fetchTopicMetadata({ topics: [topic] })).topics[0].partitions.length, 6)
  assert((await admin.listTopics()).includes(topic))
  await admin.deleteTopics({ topics: [topic] })
  assert(!(await admin.listTopics()).includes(topic))
}

cases['configs are altered and described'] = async () => {
  const topic = await create('configs', 1, [{ name: 'max.message.bytes', value: '2000' }])
  const resource = { type: ConfigResourceTypes.TOPIC, name: topic }
  const entry = async (name) => {
    const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [{ ...resource, configNames: [name] }] })
    return resources[0].configEntries[0].configValue
  }

  assert.strictEqual(await entry('max.message.bytes'), '2000')
  await admin.alterConfigs({ validateOnly: false, resources: [{ ...resource, configEntries: [{ name: 'retention.ms', value: '86400000' }] }] })
  assert.strictEqual(await entry('retention.ms'), '86400000')
  assert.strictEqual(await entry('max.message.bytes'), '1048588')
}

for (const [name, compression] of [['none', CompressionTypes.None], ['gzip', CompressionTypes.GZIP], ['snappy', CompressionTypes.Snappy]]) {
  cases[`round trip ${name}`] = async () => {
    const topic = await create(`codec-${name}`)
    const sent = [...Array(500).keys()].map((i) => ({
      key: `k${i}`, value: `value ${i}`, timestamp: String(START + i), headers: { number: String(i), empty: '' }
    }))
    await produce(topic, sent, {}, { compression, acks: -1 })
    const got = await read(topic, sent.length)
    got.forEach((record, i) => {
      assert.strictEqual(record.offset, String(i))
      assert.strictEqual(record.key.toString(), sent[i].key)
      assert.strictEqual(record.value.toString(), sent[i].value)
      assert.strictEqual(record.timestamp, sent[i].timestamp)
      assert.strictEqual(record.headers.number.toString(), String(i))
      assert.strictEqual(record.headers.empty.toString(), '')
    })
  }
}

cases['tombstones and records without a key'] = async () => {
  const topic = await create('null')
  await produce(topic, [{ key: 'k', value: null }, { value: 'v' }])
  const got = await read(topic, 2)
  assert.strictEqual(got[0].value, null)
  assert.strictEqual(got[1].key, null)
}

cases['idempotent producer'] = async () => {
  const topic = await create('idempotent')
  const producer = openProducer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  for (let i = 0; i < 20; i++) await producer.send({ topic, messages: [{ value: String(i) }] })
  await producer.disconnect()
  assert.deepStrictEqual((await read(topic, 20)).map((record) => Number(record.value)), [...Array(20).keys()])
}

cases['offsets by time'] = async () => {
  const topic = await create('time')
  await produce(topic, [...Array(10).keys()].map((i) => ({ value: String(i), timestamp: String(START + i * 1000) })))
  assert.deepStrictEqual(await admin.fetchTopicOffsetsByTimestamp(topic, START + 4500), [{ partition: 0, offset: '5' }])
  const [{ low, high }] = await admin.fetchTopicOffsets(topic)
  assert.deepStrictEqual([low, high], ['0', '10'])
}

cases['seek'] = async () => {
  const topic = await create('seek')
  await produce(topic, [...Array(10).keys()].map((i) => ({ value: String(i) })))
  const got = await read(topic, 3, { begin: (consumer) => consumer.seek({ topic, partition: 0, offset: '7' }) })
  assert.deepStrictEqual(got.map((record) => record.offset), ['7', '8', '9'])
}

cases['records are deleted'] = async () => {
  const topic = await create('delete')
  await produce(topic, [...Array(10).keys()].map((i) => ({ value: String(i) })))
  // It looks for leaders in what it knows, and knows only topics that it asked about.
  await admin.fetchTopicOffsets(topic)
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '4' }] })
  assert.strictEqual((await admin.fetchTopicOffsets(topic))[0].low, '4')
  assert.strictEqual((await read(topic, 6))[0].offset, '4')
}

// Hashes from Kafka's UtilsTest, without their sign, modulo 4.
cases['keys go where they go with Java'] = async () => {
  const topic = await create('keys', 4)
  const expected = {
    '21': 1173551340 % 4, foobar: 1357151166 % 4, 'a-little-bit-long-string': 1161502112 % 4,
    'a-little-bit-longer-string': 661178819 % 4, abc: 479470107 % 4,
    lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8: 2088585677 % 4
  }
  await produce(topic, Object.keys(expected).map((key) => ({ key, value: key })))
  const got = await read(topic, Object.keys(expected).length)
  assert.deepStrictEqual(Object.fromEntries(got.map((record) => [record.key.toString(), record.partition])), expected)
}

cases['a group shares partitions and goes on where it was'] = async () => {
  const topic = await create('group', 4)
  const group = `kj-group-${RUN}`
  const owned = [new Set(), new Set()]
  const records = []
  const members = owned.map((_, i) => {
    const consumer = kafka.consumer({ groupId: group, sessionTimeout: 10000, heartbeatInterval: 500, rebalanceTimeout: 10000 })
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => { owned[i] = new Set(payload.memberAssignment[topic] || []) })
    return consumer
  })
  const produceOne = (round) => produce(topic, [0, 1, 2, 3].map((partition) => ({ partition, value: `${round}-${partition}` })))
  const until = async (what) => { while (!what()) await new Promise((resolve) => setTimeout(resolve, 100)) }
  const start = async (consumer) => {
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({ eachMessage: async ({ message }) => { records.push(message.value.toString()) } })
  }

  await start(members[0])
  await until(() => owned[0].size === 4)
  await start(members[1])
  await until(() => owned[0].size === 2 && owned[1].size === 2)
  await produceOne(1)
  await until(() => records.length === 4)
  // Leaving commits what was handled.
  await members[0].disconnect()
  await until(() => owned[1].size === 4)
  await produceOne(2)
  await until(() => records.length === 8)
  await members[1].disconnect()
  await produceOne(3)
  const after = await read(topic, 4, { group })
  assert.deepStrictEqual(after.map((record) => record.value.toString()).sort(), ['3-0', '3-1', '3-2', '3-3'])
  assert.deepStrictEqual(records.sort(), ['1-0', '1-1', '1-2', '1-3', '2-0', '2-1', '2-2', '2-3'])
  const { groups } = await admin.describeGroups([group])
  assert.strictEqual(groups[0].state, 'Empty')
  const offsets = await admin.fetchOffsets({ groupId: group, topics: [topic] })
  assert.deepStrictEqual(offsets[0].partitions.map((partition) => partition.offset), ['3', '3', '3', '3'])
  await admin.deleteGroups([group])
}

cases['transactions are all or nothing'] = async () => {
  const topic = await create('txn', 2)
  const group = `kj-txn-${RUN}`
  const producer = openProducer({ transactionalId: `kj-${RUN}`, maxInFlightRequests: 1, idempotent: true })

  await producer.connect()
  for (const [value, commit] of [['first', true], ['second', false], ['third', true]]) {
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: [{ partition: 0, value }, { partition: 1, value }] })
    await transaction.sendOffsets({ consumerGroupId: group, topics: [{ topic, partitions: [{ partition: 0, offset: value === 'second' ? '77' : '1' }] }] })
    await (commit ? transaction.commit() : transaction.abort())
  }
  await producer.disconnect()
  const committed = await read(topic, 4, { readUncommitted: false })
  assert.deepStrictEqual(committed.map((record) => record.value.toString()).sort(), ['first', 'first', 'third', 'third'])
  const uncommitted = await read(topic, 6, { readUncommitted: true })
  assert.strictEqual(uncommitted.length, 6)
  const offsets = await admin.fetchOffsets({ groupId: group, topics: [topic] })
  assert.strictEqual(offsets[0].partitions.find((partition) => partition.partition === 0).offset, '1')
}

async function main() {
  await admin.connect()
  await require('./tap.js').run(cases)
}

main()
