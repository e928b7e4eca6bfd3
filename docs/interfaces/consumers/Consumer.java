// Keeps a copy of a topic product and prints it, one JSON line a work.
//
//   java -cp '<libs>/*' Consumer.java --topic distribution.open.v1 --until-end
//   KAFKA_PASSWORD=... java -cp '<libs>/*' Consumer.java --bootstrap broker.example:9092 \
//       --user indexer-78 --topic distribution.plus.v1 --group indexer-78.java
//
// <libs> needs kafka-clients, slf4j and jackson-databind: the libs folder of Apache Kafka has them.
// It follows the topic and prints what changes; with --until-end it stops where the topic ended
// when it began, and prints the newest line of each key it read. Without a group it reads from the
// start each time. With one it goes on where the group stood: its lines are what changed since, so
// whoever takes them keeps the copy. The rules: docs/interfaces/topics.md.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

public class Consumer {
    static final Set<String> KNOWN =
            Set.of("distribution.open-work-published.v1", "distribution.plus-work-published.v1");
    static final ObjectMapper JSON = new ObjectMapper();
    static final PrintStream OUT = new PrintStream(System.out, false, StandardCharsets.UTF_8);

    public static void main(String[] words) throws Exception {
        System.setOut(System.err); // what libraries log is none of our lines
        Map<String, String> options = new HashMap<>();
        for (int i = 0; i < words.length; i++) {
            options.put(words[i], words[i].equals("--until-end") ? "" : words[++i]);
        }
        String topic = options.get("--topic");
        String group = options.get("--group");
        boolean untilEnd = options.containsKey("--until-end");
        try (var consumer = new KafkaConsumer<String, byte[]>(settings(options, group))) {
            if (group != null) {
                consumer.subscribe(List.of(topic));
            } else {
                consumer.assign(consumer.partitionsFor(topic).stream()
                        .map(one -> new TopicPartition(topic, one.partition())).toList());
            }
            follow(consumer, group != null, untilEnd);
        } catch (AuthorizationException refused) {
            System.err.println("the broker does not let us read that: " + refused.getMessage());
            System.exit(1);
        }
    }

    /** Writes lines, then commits. */
    static void follow(KafkaConsumer<String, byte[]> consumer, boolean group, boolean untilEnd)
            throws Exception {
        Map<String, ObjectNode> newest = new LinkedHashMap<>();
        Map<TopicPartition, Long> ends = new HashMap<>();
        while (true) {
            for (var record : consumer.poll(Duration.ofMillis(500))) {
                if (tellsOfAWork(record)) {
                    // Records of a key stand in one partition, in order: the last one wins.
                    newest.put(record.key(), shown(record));
                }
            }
            boolean done = untilEnd && atEnd(consumer, ends);
            if (untilEnd && !done) {
                continue;
            }
            newest.values().stream().filter(line -> !untilEnd || !line.has("removed"))
                    .forEach(OUT::println);
            OUT.flush();
            newest.clear();
            if (group) {
                commit(consumer);
            }
            if (done) {
                return;
            }
        }
    }

    /** Says whether all was read that stood there when a partition was first looked at. */
    static boolean atEnd(KafkaConsumer<String, byte[]> consumer, Map<TopicPartition, Long> ends) {
        var mine = consumer.assignment();
        var fresh = mine.stream().filter(one -> !ends.containsKey(one)).toList();
        ends.putAll(consumer.endOffsets(fresh));
        return !mine.isEmpty()
                && mine.stream().allMatch(one -> consumer.position(one) >= ends.get(one));
    }

    static void commit(KafkaConsumer<String, byte[]> consumer) {
        try {
            consumer.commitSync();
        } catch (CommitFailedException moved) {
            // Its partitions went to another reader of the group, who reads them again.
        }
    }

    /** Says whether a record changes the copy: `__nudge` and types not known here do not. */
    static boolean tellsOfAWork(ConsumerRecord<String, byte[]> record) {
        if (record.key() == null || record.key().startsWith("__")) {
            return false;
        }
        Header type = record.headers().lastHeader("ce_type");
        return record.value() == null
                || type != null && KNOWN.contains(new String(type.value(), StandardCharsets.UTF_8));
    }

    /** Returns how many references a record shows, and why it shows none. */
    static ObjectNode shown(ConsumerRecord<String, byte[]> record) throws Exception {
        if (record.value() == null) {
            return JsonNodeFactory.instance.objectNode()
                    .put("doi", record.key()).put("removed", true);
        }
        JsonNode event = JSON.readTree(record.value());
        JsonNode work = event.get("work");
        JsonNode reason = work.path("references-withheld").path("reason");
        return JsonNodeFactory.instance.objectNode()
                .put("doi", event.get("doi").asText())
                .put("work_version", event.get("work_version").asLong())
                .put("references", work.path("reference").size())
                .put("withheld", reason.isMissingNode() ? null : reason.asText());
    }

    static Properties settings(Map<String, String> options, String group) {
        var settings = new Properties();
        settings.put("bootstrap.servers", options.getOrDefault("--bootstrap", "127.0.0.1:9092"));
        settings.put("key.deserializer", StringDeserializer.class.getName());
        settings.put("value.deserializer", ByteArrayDeserializer.class.getName());
        settings.put("isolation.level", "read_committed");
        settings.put("auto.offset.reset", "earliest");
        settings.put("enable.auto.commit", "false");
        if (group != null) {
            settings.put("group.id", group);
        }
        if (options.containsKey("--user")) {
            settings.put("security.protocol", options.getOrDefault("--security", "SASL_SSL"));
            settings.put("sasl.mechanism", "SCRAM-SHA-256");
            settings.put("sasl.jaas.config", String.format(
                    "org.apache.kafka.common.security.scram.ScramLoginModule required"
                            + " username=%s password=%s;",
                    quoted(options.get("--user")), quoted(System.getenv("KAFKA_PASSWORD"))));
        }
        return settings;
    }

    static String quoted(String value) {
        return '"' + value.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }
}
