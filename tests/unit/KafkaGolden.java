// SPDX-License-Identifier: Apache-2.0
//
// Writes tests/unit/kafka_golden.def: messages as Apache Kafka's own
// kafka-clients encodes them, for test_message.c to compare with. Needed only
// when an API or a version is added to daemon/kafka/schema:
//
//   java -cp 'kafka-clients-4.3.1.jar:slf4j-api-1.7.36.jar' \
//       tests/unit/KafkaGolden.java $(basename -a daemon/kafka/schema/*.schema) \
//       > tests/unit/kafka_golden.def
//
// The values are those of kafka_fill.h, made again here without its code.

import java.lang.reflect.Field;
import java.lang.reflect.ParameterizedType;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.utils.AppInfoParser;

public class KafkaGolden {
    enum Mode { PATTERN, NULL, DEFAULT }

    static Mode mode;
    static long salt;

    static long value(String name) {
        long h = 0xcbf29ce484222325L;
        for (byte b : name.getBytes(StandardCharsets.UTF_8))
            h = (h ^ (b & 0xff)) * 0x100000001b3L;
        return h + salt;
    }

    static String camel(String snake) {
        StringBuilder s = new StringBuilder();
        for (String word : snake.split("_"))
            s.append(s.length() == 0 ? word : word.substring(0, 1).toUpperCase() + word.substring(1));
        return s.toString();
    }

    static void fill(Object m, Schema schema) throws Exception {
        for (BoundField f : schema.fields()) {
            if (f.def.type instanceof TaggedFields tags) {
                for (var t : tags.fields().values())
                    field(m, t.name, t.type);
            } else {
                field(m, f.def.name, f.def.type);
            }
        }
    }

    static void field(Object m, String name, Type type) throws Exception {
        Field f = m.getClass().getDeclaredField(camel(name));
        f.setAccessible(true);
        if (type instanceof Schema struct) {
            if (type.isNullable())
                f.set(m, mode == Mode.PATTERN ? f.getType().getConstructor().newInstance() : null);
            if (f.get(m) != null)
                fill(f.get(m), struct);
        } else if (mode == Mode.NULL && type.isNullable()) {
            f.set(m, null);
        } else if (type.arrayElementType().isPresent()) {
            Type element = type.arrayElementType().get();
            if (element instanceof Schema struct)
                f.set(m, structs(f, struct));
            else if (mode != Mode.DEFAULT)
                f.set(m, primitives(name, element));
        } else if (mode != Mode.DEFAULT) {
            f.set(m, primitive(name, type, f));
        }
    }

    static Object structs(Field f, Schema struct) throws Exception {
        Class<?> element;
        Collection<Object> out;
        if (f.getGenericType() instanceof ParameterizedType p) {
            element = (Class<?>) p.getActualTypeArguments()[0];
            out = new ArrayList<>();
        } else {
            String list = f.getType().getName();
            element = Class.forName(list.substring(0, list.length() - "Collection".length()));
            @SuppressWarnings("unchecked")
            Collection<Object> c = (Collection<Object>) f.getType().getConstructor().newInstance();
            out = c;
        }
        long outer = salt;
        for (int i = 0; i < (mode == Mode.DEFAULT ? 1 : 2); i++) {
            Object e = element.getConstructor().newInstance();
            salt = i;
            fill(e, struct);
            out.add(e);
        }
        salt = outer;
        return out;
    }

    static Object primitives(String name, Type element) {
        List<Object> out = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            if (element == Type.INT32)
                out.add((int) (value(name) + i));
            else if (element == Type.INT8)
                out.add((byte) (value(name) + i));
            else if (element == Type.INT64)
                out.add(value(name) + i);
            else
                out.add(name + "-" + (salt + i));
        }
        return out;
    }

    static Object primitive(String name, Type type, Field f) {
        Class<?> c = f.getType();
        long v = value(name);
        if (c == boolean.class)
            return true;
        if (c == byte.class)
            return (byte) v;
        if (c == short.class)
            return (short) v;
        if (c == int.class)
            return (int) v;
        if (c == long.class)
            return v;
        if (c == double.class)
            return (double) v;
        if (c == Uuid.class)
            return new Uuid(v, ~v);
        if (c == String.class)
            return name + "-" + salt;
        byte[] bytes = (name + "-" + salt).getBytes(StandardCharsets.UTF_8);
        if (c == byte[].class)
            return bytes;
        if (c == ByteBuffer.class)
            return ByteBuffer.wrap(bytes);
        return MemoryRecords.readableRecords(ByteBuffer.wrap(bytes));
    }

    static String encode(Message m, short version) {
        ByteBuffer b = MessageUtil.toByteBufferAccessor(m, version).buffer();
        byte[] bytes = new byte[b.remaining()];
        b.get(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    public static void main(String[] args) throws Exception {
        System.out.println("/* SPDX-License-Identifier: Apache-2.0 */");
        System.out.println("/*");
        System.out.println(" * X(message, version, mode, bytes), encoded by Apache Kafka's kafka-clients "
            + AppInfoParser.getVersion() + ".");
        System.out.println(" * Written by KafkaGolden.java; do not edit.");
        System.out.println(" */");
        for (String arg : args) {
            String name = arg.replace(".schema", "");
            if (name.endsWith("Header"))
                continue;
            for (String kind : new String[] {"Request", "Response"}) {
                ApiKeys api = null;
                for (ApiKeys k : ApiKeys.values())
                    if (k.messageType.name.equals(name))
                        api = k;
                Class<?> c = Class.forName("org.apache.kafka.common.message." + name + kind + "Data");
                for (short v = api.oldestVersion(); v <= api.latestVersion(false); v++) {
                    Schema schema = (Schema) c.getField("SCHEMA_" + v).get(null);
                    for (Mode each : Mode.values()) {
                        mode = each;
                        salt = 0;
                        Message m = (Message) c.getConstructor().newInstance();
                        fill(m, schema);
                        System.out.println("X(" + name + kind + ", " + v + ", " + mode + ", \""
                            + encode(m, v) + "\")");
                    }
                }
            }
        }
    }
}
