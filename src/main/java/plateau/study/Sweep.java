package plateau.study;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.stream.IntStream;

/**
 * Campaigns, one per kind of experiment, cut into shards that processes carry out which know
 * nothing of each other, on any machines. Which runs are in a shard follows from the value alone.
 *
 * <p>As JSON: {@code {"shards": 10, "device": "auto", "settings": {…}, "campaigns": [{…}],
 * "seconds": [[0.3, 1.2]]}}, with the seconds that each entry of a campaign's runs takes per seed,
 * as estimated where it was cut; without them a run's cost is its number of steps.
 *
 * @param campaigns of different kinds
 * @param shards into how many parts they are cut, at least 1
 * @param settings of every shard
 * @param device on which they run
 * @param seconds of each run, by campaign; empty: unknown
 */
public record Sweep(
        List<Campaign<?>> campaigns, int shards, Settings settings, String device, List<List<Double>> seconds) {
    /** Shards at most. */
    public static final int MOST_SHARDS = 10_000;

    private static final ObjectMapper JSON = new ObjectMapper();

    /** @throws IllegalArgumentException with one line, if it cannot be */
    public Sweep {
        campaigns = List.copyOf(campaigns);
        seconds = List.copyOf(seconds);
        if (campaigns.isEmpty()) {
            throw new IllegalArgumentException("a sweep needs at least one run");
        }
        if (campaigns.stream()
                        .map(campaign -> campaign.kind().name())
                        .distinct()
                        .count()
                < campaigns.size()) {
            throw new IllegalArgumentException("a sweep has one campaign for each kind of experiment");
        }
        if (shards < 1 || shards > MOST_SHARDS) {
            throw new IllegalArgumentException(
                    "shards must be between 1 and %d, not %d".formatted(MOST_SHARDS, shards));
        }
    }

    /** One campaign in so many shards, of which nothing else is known. */
    public static Sweep of(Campaign<?> campaign, int shards, Settings settings, String device) {
        return new Sweep(List.of(campaign), shards, settings, device, List.of());
    }

    /**
     * The runs of grids, those of a kind as one campaign.
     *
     * @throws IllegalArgumentException with one line on what cannot be
     */
    public static List<Campaign<?>> campaigns(List<Grid<?>> grids, Routing routing) {
        Map<String, List<Grid<?>>> byKind = new LinkedHashMap<>();
        grids.forEach(grid -> byKind.computeIfAbsent(grid.kind().name(), _ -> new ArrayList<>())
                .add(grid));
        return byKind.values().stream()
                .<Campaign<?>>map(each -> campaign(each.getFirst(), each, routing))
                .toList();
    }

    private static <O extends Record> Campaign<O> campaign(Grid<O> first, List<Grid<?>> grids, Routing routing) {
        List<RunSpec<O>> runs = new ArrayList<>();
        for (Grid<?> grid : grids) {
            new Grid<>(first.kind(), grid.values(), grid.steps(), grid.logEvery(), grid.seeds())
                    .runs()
                    .forEach(runs::add);
        }
        return new Campaign<>(first.kind(), runs, routing);
    }

    /** Runs of all campaigns. */
    public int runs() {
        return campaigns.stream().mapToInt(campaign -> campaign.runs().size()).sum();
    }

    /** The estimated seconds of a run; its steps, where nothing is known. */
    public double cost(int campaign, int run) {
        return seconds.isEmpty()
                ? campaigns.get(campaign).runs().get(run).schedule().steps()
                : seconds.get(campaign).get(run);
    }

    /** Whether the costs are seconds. */
    public boolean isEstimated() {
        return !seconds.isEmpty();
    }

    /**
     * The shard of each run, counted from 0, by campaign: the most expensive run first, each into
     * the shard that has the least until then.
     */
    public List<int[]> cut() {
        record Run(int campaign, int index, double cost) {}
        record Load(double cost, int runs, int shard) {}
        List<Run> runs = new ArrayList<>();
        List<int[]> shardOf = new ArrayList<>();
        for (int campaign = 0; campaign < campaigns.size(); campaign++) {
            shardOf.add(new int[campaigns.get(campaign).runs().size()]);
            for (int run = 0; run < shardOf.getLast().length; run++) {
                runs.add(new Run(campaign, run, cost(campaign, run)));
            }
        }
        runs.sort(Comparator.comparingDouble(Run::cost).reversed()); // stable: alike stay in order
        PriorityQueue<Load> loads = new PriorityQueue<>(Comparator.comparingDouble(Load::cost)
                .thenComparingInt(Load::runs)
                .thenComparingInt(Load::shard));
        IntStream.range(0, shards).forEach(shard -> loads.add(new Load(0, 0, shard)));
        for (Run run : runs) {
            Load least = loads.remove();
            shardOf.get(run.campaign)[run.index] = least.shard;
            loads.add(new Load(least.cost + run.cost, least.runs + 1, least.shard));
        }
        return shardOf;
    }

    /** Whether both ask for the same runs, however they are cut and carried out. */
    public boolean asksFor(List<Campaign<?>> others) {
        return campaigns.size() == others.size()
                && IntStream.range(0, others.size())
                        .allMatch(i -> campaigns.get(i).asksFor(others.get(i)));
    }

    /** As JSON. */
    public ObjectNode toJson() {
        ObjectNode node = JSON.createObjectNode().put("shards", shards).put("device", device);
        node.set("settings", settings.toJson());
        ArrayNode array = node.putArray("campaigns");
        campaigns.forEach(campaign -> array.add(campaign.toJson()));
        if (isEstimated()) {
            ArrayNode all = node.putArray("seconds");
            for (int i = 0; i < campaigns.size(); i++) {
                ArrayNode entries = all.addArray();
                int run = 0;
                for (JsonNode entry : array.get(i).path("runs")) {
                    entries.add(seconds.get(i).get(run));
                    run += entry.path("seeds").asInt();
                }
            }
        }
        return node;
    }

    /** Whether this is a sweep, and not one campaign. */
    public static boolean isSweep(JsonNode node) {
        return node.has("campaigns");
    }

    /**
     * A sweep from JSON.
     *
     * @throws IllegalArgumentException with one line on the first thing in it that cannot be
     */
    public static Sweep of(JsonNode node) {
        if (!node.path("campaigns").isArray() || !node.path("shards").canConvertToInt()) {
            throw new IllegalArgumentException("a sweep has an array of campaigns and a number of shards");
        }
        List<Campaign<?>> campaigns = new ArrayList<>();
        List<List<Double>> seconds = new ArrayList<>();
        for (JsonNode each : node.path("campaigns")) {
            campaigns.add(Campaign.of(each));
            JsonNode entries = node.path("seconds").path(campaigns.size() - 1);
            if (node.has("seconds")) {
                seconds.add(seconds(each.path("runs"), entries, campaigns.getLast()));
            }
        }
        return new Sweep(
                campaigns,
                node.path("shards").asInt(),
                Settings.of(node.path("settings")),
                node.path("device").asText("auto"),
                seconds);
    }

    private static List<Double> seconds(JsonNode runs, JsonNode entries, Campaign<?> campaign) {
        List<Double> seconds = new ArrayList<>();
        for (int i = 0; i < runs.size(); i++) {
            double each = entries.path(i).asDouble(-1);
            if (!(each >= 0)) {
                throw new IllegalArgumentException("a sweep's seconds are numbers, one for each entry of runs");
            }
            for (int seed = 0; seed < runs.get(i).path("seeds").asInt(1); seed++) {
                seconds.add(each);
            }
        }
        if (seconds.size() != campaign.runs().size()) {
            throw new IllegalArgumentException("a sweep's seconds are numbers, one for each entry of runs");
        }
        return seconds;
    }
}
