// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"sort"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

type saramaSuite struct {
	server string
	admin  sarama.ClusterAdmin
}

func saramaConfig() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.MaxVersion
	config.Producer.Return.Successes = true
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.AutoCommit.Enable = false
	config.Consumer.Group.Session.Timeout = 10 * time.Second
	config.Consumer.Group.Heartbeat.Interval = 500 * time.Millisecond
	return config
}

func saramaTests(server string) []test {
	s := &saramaSuite{server, get(sarama.NewClusterAdmin([]string{server}, saramaConfig()))}
	tests := []test{{"topic create list delete", s.topics}, {"configs", s.configs}}
	for _, codec := range []sarama.CompressionCodec{sarama.CompressionNone, sarama.CompressionGZIP,
		sarama.CompressionSnappy, sarama.CompressionLZ4, sarama.CompressionZSTD} {
		tests = append(tests, test{"round trip " + codec.String(), func() { s.roundTrip(codec) }})
	}
	return append(tests, test{"tombstones", s.tombstones}, test{"idempotent producer", s.idempotent},
		test{"offsets by time and seek", s.byTime}, test{"records are deleted", s.deleteRecords},
		test{"a group shares partitions and goes on where it was", s.group},
		test{"transactions are all or nothing", s.transactions})
}

func (s *saramaSuite) create(name string, partitions int32, config map[string]*string) string {
	topic := fmt.Sprintf("sarama-%s-%s", name, run)
	must(s.admin.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: partitions,
		ReplicationFactor: 1, ConfigEntries: config}, false))
	return topic
}

func (s *saramaSuite) producer(config *sarama.Config) sarama.SyncProducer {
	config.Producer.Partitioner = sarama.NewManualPartitioner
	return get(sarama.NewSyncProducer([]string{s.server}, config))
}

func (s *saramaSuite) produce(topic string, count int, config *sarama.Config) {
	producer := s.producer(config)
	var messages []*sarama.ProducerMessage
	for i := range count {
		messages = append(messages, &sarama.ProducerMessage{Topic: topic,
			Key: sarama.StringEncoder(fmt.Sprint("k", i)), Value: sarama.StringEncoder(fmt.Sprint("v", i)),
			Timestamp: base.Add(time.Duration(i) * time.Second),
			Headers:   []sarama.RecordHeader{{Key: []byte("number"), Value: []byte(fmt.Sprint(i))}}})
	}
	must(producer.SendMessages(messages))
	for i, message := range messages {
		equal(message.Offset, i, "offset")
	}
	must(producer.Close())
}

func (s *saramaSuite) read(topic string, from int64, count int, config *sarama.Config) []*sarama.ConsumerMessage {
	consumer := get(sarama.NewConsumer([]string{s.server}, config))
	partition := get(consumer.ConsumePartition(topic, 0, from))
	var messages []*sarama.ConsumerMessage
	for len(messages) < count {
		select {
		case message := <-partition.Messages():
			messages = append(messages, message)
		case <-time.After(limit):
			panic(fmt.Sprintf("%d of %d records came", len(messages), count))
		}
	}
	must(partition.Close())
	must(consumer.Close())
	return messages
}

func (s *saramaSuite) topics() {
	topic := s.create("admin", 4, nil)
	equal(get(s.admin.ListTopics())[topic].NumPartitions, 4, "partitions")
	must(s.admin.CreatePartitions(topic, 6, nil, false))
	equal(get(s.admin.ListTopics())[topic].NumPartitions, 6, "partitions")
	must(s.admin.DeleteTopic(topic))
	if _, there := get(s.admin.ListTopics())[topic]; there {
		panic("the topic is still listed")
	}
}

func (s *saramaSuite) configs() {
	size, days := "2000", "86400000"
	topic := s.create("configs", 1, map[string]*string{"max.message.bytes": &size})
	must(s.admin.IncrementalAlterConfig(sarama.TopicResource, topic, map[string]sarama.IncrementalAlterConfigsEntry{
		"retention.ms": {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &days}}, false))
	found := map[string]string{}
	for _, entry := range get(s.admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: topic})) {
		found[entry.Name] = entry.Value
	}
	equal(found["max.message.bytes"], size, "max.message.bytes")
	equal(found["retention.ms"], days, "retention.ms")
	equal(found["cleanup.policy"], "delete", "cleanup.policy")
}

func (s *saramaSuite) roundTrip(codec sarama.CompressionCodec) {
	topic, config := s.create("codec-"+codec.String(), 1, nil), saramaConfig()
	config.Producer.Compression = codec
	s.produce(topic, 300, config)
	for i, message := range s.read(topic, 0, 300, saramaConfig()) {
		equal(message.Offset, i, "offset")
		equal(string(message.Key), fmt.Sprint("k", i), "key")
		equal(string(message.Value), fmt.Sprint("v", i), "value")
		equal(message.Timestamp.UnixMilli(), base.UnixMilli()+int64(i)*1000, "time")
		equal(string(message.Headers[0].Value), i, "header")
	}
}

func (s *saramaSuite) tombstones() {
	topic, producer := s.create("null", 1, nil), s.producer(saramaConfig())
	for _, message := range []*sarama.ProducerMessage{
		{Topic: topic, Key: sarama.StringEncoder("k")}, {Topic: topic, Value: sarama.StringEncoder("")}} {
		get(0, func() error { _, _, err := producer.SendMessage(message); return err }())
	}
	must(producer.Close())
	got := s.read(topic, 0, 2, saramaConfig())
	if got[0].Value != nil || got[1].Key != nil || got[1].Value == nil {
		panic("null is not what was sent")
	}
}

func (s *saramaSuite) idempotent() {
	topic, config := s.create("idempotent", 1, nil), saramaConfig()
	config.Producer.Idempotent = true
	config.Net.MaxOpenRequests = 1
	s.produce(topic, 100, config)
	equal(len(s.read(topic, 0, 100, saramaConfig())), 100, "records")
}

func (s *saramaSuite) byTime() {
	topic := s.create("time", 1, nil)
	s.produce(topic, 10, saramaConfig())
	client := get(sarama.NewClient([]string{s.server}, saramaConfig()))
	equal(get(client.GetOffset(topic, 0, base.UnixMilli()+4500)), 5, "by time")
	equal(get(client.GetOffset(topic, 0, sarama.OffsetOldest)), 0, "oldest")
	equal(get(client.GetOffset(topic, 0, sarama.OffsetNewest)), 10, "newest")
	must(client.Close())
	equal(s.read(topic, 8, 1, saramaConfig())[0].Offset, 8, "seek")
}

func (s *saramaSuite) deleteRecords() {
	topic := s.create("delete", 1, nil)
	s.produce(topic, 10, saramaConfig())
	must(s.admin.DeleteRecords(topic, map[int32]int64{0: 4}))
	equal(s.read(topic, sarama.OffsetOldest, 1, saramaConfig())[0].Offset, 4, "the first that is left")
}

// saramaMember reads until it is told to stop, and commits what it read.
type saramaMember struct {
	group  sarama.ConsumerGroup
	cancel context.CancelFunc
	ended  chan struct{}
	mutex  sync.Mutex
	owned  int
	values []string
}

func (m *saramaMember) Setup(session sarama.ConsumerGroupSession) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.owned = 0
	for _, partitions := range session.Claims() {
		m.owned += len(partitions)
	}
	return nil
}

func (m *saramaMember) Cleanup(session sarama.ConsumerGroupSession) error {
	session.Commit()
	return nil
}

func (m *saramaMember) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for message := range claim.Messages() {
		session.MarkMessage(message, "")
		m.mutex.Lock()
		m.values = append(m.values, string(message.Value))
		m.mutex.Unlock()
	}
	return nil
}

func (m *saramaMember) owns(count int) func() bool {
	return func() bool {
		m.mutex.Lock()
		defer m.mutex.Unlock()
		return m.owned == count
	}
}

func (m *saramaMember) has(count int) func() bool {
	return func() bool {
		m.mutex.Lock()
		defer m.mutex.Unlock()
		return len(m.values) == count
	}
}

func (s *saramaSuite) join(topic, group string) *saramaMember {
	ctx, cancel := context.WithCancel(context.Background())
	m := &saramaMember{group: get(sarama.NewConsumerGroup([]string{s.server}, group, saramaConfig())),
		cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(m.ended)
		for ctx.Err() == nil {
			// A generation that ends with an error is followed by another one.
			_ = m.group.Consume(ctx, []string{topic}, m)
		}
	}()
	return m
}

func (m *saramaMember) leave() {
	m.cancel()
	<-m.ended
	must(m.group.Close())
}

func (s *saramaSuite) group() {
	topic, group := s.create("group", 4, nil), "sarama-group-"+run
	produce := func(round int) {
		producer := s.producer(saramaConfig())
		for partition := range int32(4) {
			_, _, err := producer.SendMessage(&sarama.ProducerMessage{Topic: topic, Partition: partition,
				Value: sarama.StringEncoder(fmt.Sprintf("%d-%d", round, partition))})
			must(err)
		}
		must(producer.Close())
	}
	first := s.join(topic, group)
	until("partitions of one member", first.owns(4))
	second := s.join(topic, group)
	until("partitions of the first of two", first.owns(2))
	until("partitions of the second", second.owns(2))
	produce(1)
	until("records of the first", first.has(2))
	until("records of the second", second.has(2))
	first.leave()
	until("partitions of who is left", second.owns(4))
	produce(2)
	until("all records", second.has(6))
	second.leave()
	produce(3)
	third := s.join(topic, group)
	until("what was not committed", third.has(4))
	third.leave()
	sort.Strings(third.values)
	equal(third.values, []string{"3-0", "3-1", "3-2", "3-3"}, "records of the third")
	offsets := get(s.admin.ListConsumerGroupOffsets(group, map[string][]int32{topic: {0, 1, 2, 3}}))
	for partition := range int32(4) {
		equal(offsets.GetBlock(topic, partition).Offset, 3, "committed")
	}
	must(s.admin.DeleteConsumerGroup(group))
}

func (s *saramaSuite) transactions() {
	topic, group, config := s.create("txn", 1, nil), "sarama-txn-"+run, saramaConfig()
	config.Producer.Idempotent = true
	config.Producer.Transaction.ID = "sarama-" + run
	config.Net.MaxOpenRequests = 1
	producer := s.producer(config)
	for i, commit := range []bool{true, false, true} {
		must(producer.BeginTxn())
		_, _, err := producer.SendMessage(&sarama.ProducerMessage{Topic: topic,
			Value: sarama.StringEncoder(fmt.Sprint(i))})
		must(err)
		// What it takes is the next offset to be read.
		must(producer.AddOffsetsToTxn(map[string][]*sarama.PartitionOffsetMetadata{topic: {
			{Partition: 0, Offset: int64(i + 1)}}}, group))
		if commit {
			must(producer.CommitTxn())
		} else {
			must(producer.AbortTxn())
		}
	}
	must(producer.Close())
	committed := saramaConfig()
	committed.Consumer.IsolationLevel = sarama.ReadCommitted
	got := s.read(topic, 0, 2, committed)
	equal([]string{string(got[0].Value), string(got[1].Value)}, []string{"0", "2"}, "committed")
	equal(len(s.read(topic, 0, 3, saramaConfig())), 3, "all of them")
	offsets := get(s.admin.ListConsumerGroupOffsets(group, map[string][]int32{topic: {0}}))
	equal(offsets.GetBlock(topic, 0).Offset, 3, "offset of the group")
}
