package plateau.bench;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.Writer;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import plateau.cuda.Timeline;
import plateau.cuda.trace.Range;

/**
 * A timeline in the trace event format (JSON) that Perfetto and chrome://tracing read: a track for
 * each stream, with the ranges above the kernels that were enqueued in them, and a track for each
 * thread of the host, with its ranges.
 */
public final class TraceEvents {
    private static final int DEVICE = 1;
    private static final int HOST = 2;

    private final List<Timeline.Operation> operations;
    private final List<Range> ranges;
    private final double origin; // a whole number

    /** A stretch of a track; times in nanoseconds from the trace's begin. */
    private record Slice(int process, int track, String name, String category, long begin, long end, String args) {}

    /** From when to when, on a stream. */
    private record Extent(long begin, long end) {
        Extent and(Extent other) {
            return new Extent(Math.min(begin, other.begin), Math.max(end, other.end));
        }
    }

    /**
     * Of these.
     *
     * @param operations that ran
     * @param ranges of the host
     */
    public TraceEvents(List<Timeline.Operation> operations, List<Range> ranges) {
        this.operations = operations;
        this.ranges = ranges;
        this.origin = Stream.concat(
                        operations.stream().map(Timeline.Operation::begin),
                        ranges.stream().map(range -> (double) range.begin()))
                .mapToDouble(Double::doubleValue)
                .map(Math::floor)
                .min()
                .orElse(0);
    }

    /** Writes it. */
    public void write(Writer writer, String device) throws IOException {
        Map<String, Integer> streams = new LinkedHashMap<>();
        operations.forEach(operation -> streams.putIfAbsent(operation.stream(), streams.size() + 1));
        Map<String, Integer> threads = new LinkedHashMap<>();
        ranges.forEach(range -> threads.putIfAbsent(range.thread(), threads.size() + 1));
        try (JsonGenerator json = new ObjectMapper().createGenerator(writer)) {
            json.writeStartObject();
            json.writeStringField("displayTimeUnit", "ns");
            json.writeArrayFieldStart("traceEvents");
            names(json, DEVICE, device, streams);
            names(json, HOST, "host", threads);
            for (Slice slice : slices(streams, threads)) {
                json.writeRaw('\n');
                json.writeStartObject();
                json.writeStringField("ph", "X");
                json.writeNumberField("pid", slice.process);
                json.writeNumberField("tid", slice.track);
                time(json, "ts", slice.begin);
                time(json, "dur", slice.end - slice.begin);
                json.writeStringField("name", slice.name);
                json.writeStringField("cat", slice.category);
                if (!slice.args.isEmpty()) {
                    json.writeObjectFieldStart("args");
                    json.writeStringField("launch", slice.args);
                    json.writeEndObject();
                }
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        }
    }

    private static void names(JsonGenerator json, int process, String name, Map<String, Integer> tracks)
            throws IOException {
        name(json, process, 0, "process_name", name);
        for (Map.Entry<String, Integer> track : tracks.entrySet()) {
            name(json, process, track.getValue(), "thread_name", track.getKey());
        }
    }

    private static void name(JsonGenerator json, int process, int track, String what, String name) throws IOException {
        json.writeRaw('\n');
        json.writeStartObject();
        json.writeStringField("ph", "M");
        json.writeNumberField("pid", process);
        json.writeNumberField("tid", track);
        json.writeStringField("name", what);
        json.writeObjectFieldStart("args");
        json.writeStringField("name", name);
        json.writeEndObject();
        json.writeEndObject();
    }

    /** Those that hold others come before them, as the format wants it of equal begins. */
    private List<Slice> slices(Map<String, Integer> streams, Map<String, Integer> threads) {
        List<Slice> slices = new ArrayList<>();
        extents()
                .forEach((stream, extents) -> extents.forEach((range, extent) -> slices.add(new Slice(
                        DEVICE,
                        streams.get(stream),
                        range.name(),
                        range.category().text(),
                        extent.begin,
                        extent.end,
                        ""))));
        slices.sort(Comparator.comparingLong(slice -> slice.begin - slice.end));
        for (Timeline.Operation operation : operations) {
            slices.add(new Slice(
                    DEVICE,
                    streams.get(operation.stream()),
                    operation.name(),
                    operation.grid().isPresent() ? "kernel" : "operation",
                    extent(operation).begin,
                    extent(operation).end,
                    operation
                            .grid()
                            .map(grid -> "grid (%d, %d, %d), blocks of %d"
                                    .formatted(grid.x(), grid.y(), grid.z(), operation.threads()))
                            .orElse("")));
        }
        for (Range range : ranges) {
            slices.add(new Slice(
                    HOST,
                    threads.get(range.thread()),
                    range.name(),
                    range.category().text(),
                    Math.round(range.begin() - origin),
                    Math.round(range.end() - origin),
                    ""));
        }
        return slices;
    }

    /** For each stream, when a range's operations ran there, those of the ranges in it included. */
    private Map<String, Map<Range, Extent>> extents() {
        Map<String, Map<Range, Extent>> extents = new HashMap<>();
        for (Timeline.Operation operation : operations) {
            Extent extent = extent(operation);
            Map<Range, Extent> ofStream = extents.computeIfAbsent(operation.stream(), _ -> new IdentityHashMap<>());
            for (Range range = operation.range(); range != null; range = range.parent()) {
                extent = new Extent(extent.begin, extent.end + 1); // a nanosecond: what holds ends later
                ofStream.merge(range, extent, Extent::and);
            }
        }
        return extents;
    }

    private Extent extent(Timeline.Operation operation) {
        long begin = Math.round(operation.begin() - origin);
        return new Extent(begin, begin + Math.round(operation.nanoseconds()));
    }

    /** In microseconds, as the format has them, to the nanosecond. */
    private static void time(JsonGenerator json, String field, long nanoseconds) throws IOException {
        json.writeFieldName(field);
        json.writeNumber(BigDecimal.valueOf(nanoseconds, 3));
    }
}
