// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net"
	"sort"
	"time"

	"github.com/segmentio/kafka-go"
)

type segmentioSuite struct {
	server string
	client *kafka.Client
}

func segmentioTests(server string) []test {
	s := &segmentioSuite{server, &kafka.Client{Addr: kafka.TCP(server), Timeout: limit}}
	tests := []test{{"topic create list delete", s.topics}, {"configs", s.configs}}
	for _, codec := range []kafka.Compression{0, kafka.Gzip, kafka.Snappy, kafka.Lz4, kafka.Zstd} {
		tests = append(tests, test{fmt.Sprint("round trip ", codec), func() { s.roundTrip(codec) }})
	}
	return append(tests, test{"tombstones", s.tombstones}, test{"offsets by time and seek", s.byTime},
		test{"keys go where they go with Java", s.keys}, test{"a connection by itself", s.connection},
		test{"a group shares partitions and goes on where it was", s.group})
}

func background() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	context.AfterFunc(ctx, cancel)
	return ctx
}

func (s *segmentioSuite) create(name string, partitions int, config ...kafka.ConfigEntry) string {
	topic := fmt.Sprintf("kafka-go-%s-%s", name, run)
	answer := get(s.client.CreateTopics(background(), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{
		Topic: topic, NumPartitions: partitions, ReplicationFactor: 1, ConfigEntries: config}}}))
	must(answer.Errors[topic])
	return topic
}

func (s *segmentioSuite) writer(topic string) *kafka.Writer {
	return &kafka.Writer{Addr: kafka.TCP(s.server), Topic: topic, RequiredAcks: kafka.RequireAll,
		BatchTimeout: 5 * time.Millisecond}
}

func (s *segmentioSuite) produce(topic string, count int, codec kafka.Compression) {
	writer := s.writer(topic)
	writer.Compression = codec
	var messages []kafka.Message
	for i := range count {
		messages = append(messages, kafka.Message{Key: []byte(fmt.Sprint("k", i)), Value: []byte(fmt.Sprint("v", i)),
			Time:    base.Add(time.Duration(i) * time.Second),
			Headers: []kafka.Header{{Key: "number", Value: []byte(fmt.Sprint(i))}}})
	}
	must(writer.WriteMessages(background(), messages...))
	must(writer.Close())
}

func (s *segmentioSuite) read(topic string, from int64, count int) []kafka.Message {
	reader := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{s.server}, Topic: topic, MaxWait: time.Second})
	must(reader.SetOffset(from))
	var messages []kafka.Message
	for len(messages) < count {
		messages = append(messages, get(reader.ReadMessage(background())))
	}
	must(reader.Close())
	return messages
}

func (s *segmentioSuite) partitions(topic string) int {
	answer := get(s.client.Metadata(background(), &kafka.MetadataRequest{Topics: []string{topic}}))
	if answer.Topics[0].Error != nil {
		return 0
	}
	return len(answer.Topics[0].Partitions)
}

func (s *segmentioSuite) topics() {
	topic := s.create("admin", 4)
	equal(s.partitions(topic), 4, "partitions")
	answer := get(s.client.CreatePartitions(background(), &kafka.CreatePartitionsRequest{
		Topics: []kafka.TopicPartitionsConfig{{Name: topic, Count: 6}}}))
	must(answer.Errors[topic])
	// The client asks anew only when what it knows is some seconds old.
	until("more partitions", func() bool { return s.partitions(topic) == 6 })
	deleted := get(s.client.DeleteTopics(background(), &kafka.DeleteTopicsRequest{Topics: []string{topic}}))
	must(deleted.Errors[topic])
	until("end of a topic that was deleted", func() bool { return s.partitions(topic) == 0 })
}

func (s *segmentioSuite) configs() {
	topic := s.create("configs", 1, kafka.ConfigEntry{ConfigName: "max.message.bytes", ConfigValue: "2000"})
	answer := get(s.client.IncrementalAlterConfigs(background(), &kafka.IncrementalAlterConfigsRequest{
		Resources: []kafka.IncrementalAlterConfigsRequestResource{{ResourceType: kafka.ResourceTypeTopic,
			ResourceName: topic, Configs: []kafka.IncrementalAlterConfigsRequestConfig{{Name: "retention.ms",
				Value: "86400000", ConfigOperation: kafka.ConfigOperationSet}}}}}))
	must(answer.Resources[0].Error)
	described := get(s.client.DescribeConfigs(background(), &kafka.DescribeConfigsRequest{
		Resources: []kafka.DescribeConfigRequestResource{{ResourceType: kafka.ResourceTypeTopic, ResourceName: topic}}}))
	found := map[string]string{}
	for _, entry := range described.Resources[0].ConfigEntries {
		found[entry.ConfigName] = entry.ConfigValue
	}
	equal(found["max.message.bytes"], 2000, "max.message.bytes")
	equal(found["retention.ms"], 86400000, "retention.ms")
}

func (s *segmentioSuite) roundTrip(codec kafka.Compression) {
	topic := s.create(fmt.Sprintf("codec-%d", codec), 1)
	s.produce(topic, 300, codec)
	for i, message := range s.read(topic, kafka.FirstOffset, 300) {
		equal(message.Offset, i, "offset")
		equal(string(message.Key), fmt.Sprint("k", i), "key")
		equal(string(message.Value), fmt.Sprint("v", i), "value")
		equal(message.Time.UnixMilli(), base.UnixMilli()+int64(i)*1000, "time")
		equal(string(message.Headers[0].Value), i, "header")
	}
}

func (s *segmentioSuite) tombstones() {
	topic := s.create("null", 1)
	writer := s.writer(topic)
	must(writer.WriteMessages(background(), kafka.Message{Key: []byte("k")}, kafka.Message{Value: []byte("v")}))
	must(writer.Close())
	got := s.read(topic, kafka.FirstOffset, 2)
	equal(len(got[0].Value), 0, "value of the first")
	equal(len(got[1].Key), 0, "key of the second")
}

func (s *segmentioSuite) byTime() {
	topic := s.create("time", 1)
	s.produce(topic, 10, 0)
	answer := get(s.client.ListOffsets(background(), &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{
		topic: {kafka.TimeOffsetOf(0, base.Add(4500*time.Millisecond)), kafka.FirstOffsetOf(0), kafka.LastOffsetOf(0)}}}))
	found := answer.Topics[topic][0]
	equal(found.FirstOffset, 0, "first")
	equal(found.LastOffset, 10, "last")
	for offset := range found.Offsets {
		equal(offset, 5, "by time")
	}
	equal(s.read(topic, 8, 1)[0].Offset, 8, "seek")
}

// Hashes from Kafka's UtilsTest, without their sign.
func (s *segmentioSuite) keys() {
	expected := map[string]int{"21": 1173551340 % 4, "foobar": 1357151166 % 4,
		"a-little-bit-longer-string": 661178819 % 4, "abc": 479470107 % 4}
	topic := s.create("keys", 4)
	writer := s.writer(topic)
	writer.Balancer = kafka.Murmur2Balancer{}
	for key := range expected {
		must(writer.WriteMessages(background(), kafka.Message{Key: []byte(key)}))
	}
	must(writer.Close())
	counts := map[int]int64{}
	for _, partition := range expected {
		counts[partition]++
	}
	for partition := range 4 {
		conn := get(kafka.DialLeader(background(), "tcp", s.server, topic, partition))
		equal(get(conn.ReadLastOffset()), counts[partition], fmt.Sprint("end of partition ", partition))
		must(conn.Close())
	}
}

func (s *segmentioSuite) connection() {
	topic := s.create("conn", 1)
	conn := get(kafka.DialLeader(background(), "tcp", s.server, topic, 0))
	must(conn.SetDeadline(time.Now().Add(limit)))
	get(conn.WriteMessages(kafka.Message{Value: []byte("one")}, kafka.Message{Value: []byte("two")}))
	get(conn.Seek(1, kafka.SeekAbsolute))
	equal(string(get(conn.ReadMessage(1e6)).Value), "two", "record")
	controller := get(conn.Controller())
	equal(net.JoinHostPort(controller.Host, fmt.Sprint(controller.Port)), s.server, "controller")
	must(conn.Close())
}

func (s *segmentioSuite) group() {
	topic, group := s.create("group", 4), "kafka-go-group-"+run
	join := func() *kafka.Reader {
		return kafka.NewReader(kafka.ReaderConfig{Brokers: []string{s.server}, Topic: topic, GroupID: group,
			StartOffset: kafka.FirstOffset, MaxWait: 200 * time.Millisecond, HeartbeatInterval: 500 * time.Millisecond,
			SessionTimeout: 10 * time.Second, RebalanceTimeout: 10 * time.Second})
	}
	produce := func(round int) {
		writer := s.writer(topic)
		writer.Balancer = &kafka.RoundRobin{}
		for i := range 4 {
			must(writer.WriteMessages(background(), kafka.Message{Value: []byte(fmt.Sprintf("%d-%d", round, i))}))
		}
		must(writer.Close())
	}
	take := func(reader *kafka.Reader, count int) []string {
		var values []string
		for range count {
			message := get(reader.FetchMessage(background()))
			must(reader.CommitMessages(background(), message))
			values = append(values, string(message.Value))
		}
		sort.Strings(values)
		return values
	}
	first := join()
	produce(1)
	equal(take(first, 4), []string{"1-0", "1-1", "1-2", "1-3"}, "records of the first")
	second := join()
	// It is in the group once both are described with two partitions each.
	until("members with two partitions each", func() bool {
		answer := get(s.client.DescribeGroups(background(), &kafka.DescribeGroupsRequest{GroupIDs: []string{group}}))
		members := answer.Groups[0].Members
		if len(members) != 2 || answer.Groups[0].GroupState != "Stable" {
			return false
		}
		for _, member := range members {
			if len(member.MemberAssignments.Topics) != 1 || len(member.MemberAssignments.Topics[0].Partitions) != 2 {
				return false
			}
		}
		return true
	})
	must(first.Close())
	produce(2)
	equal(take(second, 4), []string{"2-0", "2-1", "2-2", "2-3"}, "records of who is left")
	must(second.Close())
	fetched := get(s.client.OffsetFetch(background(), &kafka.OffsetFetchRequest{GroupID: group,
		Topics: map[string][]int{topic: {0, 1, 2, 3}}}))
	total := int64(0)
	for _, partition := range fetched.Topics[topic] {
		total += partition.CommittedOffset
	}
	equal(total, 8, "committed in all")
}
