package plateau.study;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import plateau.kernel.Measurements.Measured;
import plateau.results.Description;
import plateau.results.FileException;
import plateau.results.ResultFolder;
import plateau.results.Results;
import plateau.results.RunFiles;
import plateau.results.RunPlan;
import plateau.results.RunRecord;
import plateau.results.Status;

/**
 * The folder of a sweep. Each shard has a folder of its own in it, to which nobody else writes, so
 * that no two processes ever write one file; the tables of all runs are put together from these.
 *
 * <pre>
 * sweep.json             what is run, and into how many shards it is cut
 * shards/03-of-10/       the runs of a shard: run.json, runs/, checkpoints/, and the sweep it is of
 * run.json, metrics.csv  merged, as one process would have written them
 * KIND/                  the last two, where there are several kinds of experiment
 * </pre>
 */
public final class SweepFolder {
    /** What is run. */
    public static final String SWEEP = "sweep.json";

    /** In a shard's folder: which it is, and of what. */
    public static final String SHARD = "shard.json";

    private static final String SHARDS = "shards";
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private final Path folder;
    private final Sweep sweep;
    private final JsonNode asJson;
    private final List<int[]> shardOf;
    private final List<List<RunPlan>> plans;

    /** A sweep's folder, which need not be there. */
    public SweepFolder(Path folder, Sweep sweep) {
        this.folder = folder;
        this.sweep = sweep;
        this.asJson = reread(sweep.toJson());
        this.shardOf = sweep.cut();
        this.plans = sweep.campaigns().stream().map(SweepFolder::plans).toList();
    }

    private static List<RunPlan> plans(Campaign<?> campaign) {
        return campaign.runs().stream().map(SweepFolder::plan).toList();
    }

    private static RunPlan plan(RunSpec<?> run) {
        return new RunPlan(
                run.key(),
                run.experiment().metrics(),
                Map.of(),
                run.schedule().steps(),
                run.schedule().logEvery());
    }

    /** As it is read: numbers of the types that a file has. */
    private static JsonNode reread(JsonNode node) {
        try {
            return JSON.readTree(JSON.writeValueAsBytes(node));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Finds the sweep of a folder: its own file, or what a shard says that was started without one.
     *
     * @return empty where there is none
     * @throws FileException if a file is damaged
     */
    public static Optional<SweepFolder> open(Path folder) throws IOException {
        Path file = folder.resolve(SWEEP);
        if (Files.exists(file)) {
            return Optional.of(new SweepFolder(folder, parse(file, read(file))));
        }
        for (Path parent : candidates(folder)) {
            for (Path shard : sorted(parent.resolve(SHARDS))) {
                Path about = shard.resolve(SHARD);
                if (Files.exists(about)) {
                    return Optional.of(
                            new SweepFolder(folder, parse(about, read(about).path("sweep"))));
                }
            }
        }
        return Optional.empty();
    }

    private static List<Path> candidates(Path folder) throws IOException {
        return Stream.concat(Stream.of(folder), sorted(folder).stream().filter(Files::isDirectory))
                .toList();
    }

    private static List<Path> sorted(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        } catch (IOException e) {
            throw FileException.of(folder, e);
        }
    }

    private static JsonNode read(Path file) throws IOException {
        try {
            return JSON.readTree(Files.readAllBytes(file));
        } catch (JsonProcessingException e) {
            throw new FileException(file, "it is damaged: no JSON");
        } catch (IOException e) {
            throw FileException.of(file, e);
        }
    }

    private static Sweep parse(Path file, JsonNode node) throws IOException {
        try {
            return Sweep.of(node);
        } catch (IllegalArgumentException e) {
            throw new FileException(file, "it is damaged: " + e.getMessage());
        }
    }

    /** Writes sweep.json into the folder, which has been claimed. */
    public void write(ResultFolder claimed) throws IOException {
        claimed.write(SWEEP, file -> Files.write(file, bytes(asJson)));
    }

    /** Writes into a shard's folder, which has been claimed, what it is a part of. */
    public void writeShard(ResultFolder claimed, int shard) throws IOException {
        ObjectNode node = JSON.createObjectNode().put("shard", shard + 1);
        node.set("sweep", asJson);
        claimed.write(SHARD, file -> Files.write(file, bytes(node)));
    }

    private static byte[] bytes(JsonNode node) throws IOException {
        return (JSON.writeValueAsString(node) + "\n").getBytes(java.nio.charset.StandardCharsets.UTF_8);
    }

    /** What is run. */
    public Sweep sweep() {
        return sweep;
    }

    /** The folder. */
    public Path path() {
        return folder;
    }

    /** Where the merged results of a campaign go. */
    public Path folder(int campaign) {
        return sweep.campaigns().size() == 1
                ? folder
                : folder.resolve(sweep.campaigns().get(campaign).kind().name());
    }

    /** Where a shard, counted from 0, has its runs of a campaign. */
    public Path shardFolder(int campaign, int shard) {
        int digits = Integer.toString(sweep.shards()).length();
        return folder(campaign)
                .resolve(SHARDS)
                .resolve(("%0" + digits + "d-of-%d").formatted(shard + 1, sweep.shards()));
    }

    /** A shard's runs of a campaign; empty where it has none. */
    public Optional<Campaign<?>> part(int campaign, int shard) {
        return part(sweep.campaigns().get(campaign), indices(campaign, shard));
    }

    private static <O extends Record> Optional<Campaign<?>> part(Campaign<O> whole, List<Integer> indices) {
        return indices.isEmpty()
                ? Optional.empty()
                : Optional.of(new Campaign<>(
                        whole.kind(), indices.stream().map(whole.runs()::get).toList(), whole.routing()));
    }

    /** The places of a shard's runs in a campaign. */
    private List<Integer> indices(int campaign, int shard) {
        int[] shards = shardOf.get(campaign);
        return IntStream.range(0, shards.length)
                .filter(run -> shards[run] == shard)
                .boxed()
                .toList();
    }

    /**
     * Refuses a shard's folder that holds something else.
     *
     * @throws FileException with one line
     */
    public void requireOwn(Path shardFolder) throws IOException {
        Path about = shardFolder.resolve(SHARD);
        if (Files.exists(about) ? !read(about).path("sweep").equals(asJson) : Results.areIn(shardFolder)) {
            throw new FileException(
                    shardFolder, "it holds runs of another sweep, or of another cut; name another folder");
        }
    }

    /** The last steps that a shard's folder has rows of, of each of its runs. */
    public List<Long> done(Campaign<?> part, Path shardFolder) throws IOException {
        return RunFiles.read(shardFolder, plans(part)).stream()
                .map(run -> run.record().last().map(RunRecord.Last::step).orElse(0L))
                .toList();
    }

    /** One run as the folder of its shard tells of it. */
    public record Run(int campaign, int index, int shard, RunFiles files, boolean isFinished) {

        /** Steps that are known to be done. */
        public long done() {
            return files.record().last().map(RunRecord.Last::step).orElse(0L);
        }
    }

    /**
     * All runs of the sweep as they stand.
     *
     * @param runs by campaign, in its order
     * @param parts what the folders of shards say that have begun, by campaign
     */
    public record State(List<List<Run>> runs, List<List<Description>> parts) {

        /** Shards with runs that are not finished, counted from 0. */
        public SortedSet<Integer> unfinished() {
            SortedSet<Integer> shards = new TreeSet<>();
            runs.stream().flatMap(List::stream).filter(run -> !run.isFinished).forEach(run -> shards.add(run.shard));
            return shards;
        }
    }

    /**
     * Looks at all shards, while they run or when they have ended.
     *
     * @throws FileException if a file is damaged, or of another sweep
     */
    public State state() throws IOException {
        List<List<Run>> runs = new ArrayList<>();
        List<List<Description>> parts = new ArrayList<>();
        for (int campaign = 0; campaign < sweep.campaigns().size(); campaign++) {
            Run[] found = new Run[plans.get(campaign).size()];
            parts.add(new ArrayList<>());
            List<List<Integer>> byShard = IntStream.range(0, sweep.shards())
                    .<List<Integer>>mapToObj(_ -> new ArrayList<>())
                    .toList();
            int[] shards = shardOf.get(campaign);
            IntStream.range(0, shards.length)
                    .forEach(run -> byShard.get(shards[run]).add(run));
            for (int shard = 0; shard < byShard.size(); shard++) {
                look(campaign, shard, byShard.get(shard), found, parts.getLast());
            }
            runs.add(List.of(found));
        }
        return new State(runs, parts);
    }

    private void look(int campaign, int shard, List<Integer> indices, Run[] found, List<Description> parts)
            throws IOException {
        Path own = shardFolder(campaign, shard);
        List<RunPlan> plans =
                indices.stream().map(this.plans.get(campaign)::get).toList();
        boolean hasBegun = !plans.isEmpty() && Results.areIn(own);
        List<RunFiles> files = List.of();
        if (hasBegun) {
            requireOwn(own);
            parts.add(Description.read(own));
            files = RunFiles.read(own, plans);
        }
        for (int i = 0; i < indices.size(); i++) {
            RunFiles run = hasBegun ? files.get(i) : RunFiles.none(plans.get(i));
            found[indices.get(i)] = new Run(campaign, indices.get(i), shard, run, run.isFinished(plans.get(i)));
        }
    }

    /** The shards, counted from 0, to which processes write now, on this machine or on others. */
    public Set<Integer> held() throws IOException {
        SortedMap<Path, Integer> folders = new TreeMap<>();
        for (int campaign = 0; campaign < sweep.campaigns().size(); campaign++) {
            for (int shard = 0; shard < sweep.shards(); shard++) {
                folders.put(shardFolder(campaign, shard), shard);
            }
        }
        Set<Integer> held = new TreeSet<>();
        ResultFolder.held(folders.keySet()).forEach(path -> held.add(folders.get(path)));
        return held;
    }

    /**
     * Writes tables and run.json of a campaign from its shards, with the bytes that one process
     * would have written, but for what clocks and machines decide: times, speeds, device, versions
     * and settings.
     *
     * @param claimed the folder of the campaign
     * @return lines about what a reader may not expect
     * @throws FileException if something cannot be read or written
     */
    public List<String> merge(int campaign, State state, ResultFolder claimed) throws IOException {
        Campaign<?> whole = sweep.campaigns().get(campaign);
        List<Run> runs = state.runs.get(campaign);
        SortedMap<Integer, String> failed = new TreeMap<>();
        boolean isWhole = true;
        for (Run run : runs) {
            RunRecord record = run.files.record();
            if (record.status() == Status.FAILED) {
                failed.put(run.index, record.error().orElse("it failed"));
            } else {
                isWhole &= run.isFinished;
            }
        }
        List<String> notes = new ArrayList<>();
        Campaign<?> measured = whole.with(measured(whole, state.parts.get(campaign), notes));
        Set<String> metrics = new LinkedHashSet<>();
        plans.get(campaign).forEach(plan -> metrics.addAll(plan.metrics()));
        Description.writeMerged(
                claimed,
                Description.joined(measured.toJson(), state.parts.get(campaign)),
                !isWhole ? Status.INTERRUPTED : failed.isEmpty() ? Status.FINISHED : Status.FAILED,
                failed.isEmpty() ? Optional.empty() : Optional.of(Failures.ofRuns(whole, failed)),
                metrics,
                runs.stream().map(Run::files).toList());
        return notes;
    }

    /** What the shards measured of products and convolutions. */
    private static SortedMap<String, Measured> measured(
            Campaign<?> whole, List<Description> parts, List<String> notes) {
        SortedMap<String, Measured> known = new TreeMap<>(whole.routing().measured());
        for (Description part : parts) {
            Campaign.measured(part.campaign().path("measured")).forEach((shape, times) -> {
                Measured before = known.putIfAbsent(shape, times);
                if (before != null && before.byLibrary() != times.byLibrary() && notes.isEmpty()) {
                    notes.add(("shards did not all compute %s in the same way, so that last bits are not those of one"
                                    + " process; with the hand-written kernels alone they are")
                            .formatted(shape));
                }
            });
        }
        return known;
    }
}
