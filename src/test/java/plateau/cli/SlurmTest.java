package plateau.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** A sweep on a real Slurm, disturbed in all ways that a cluster has. */
@Execution(ExecutionMode.CONCURRENT)
class SlurmTest {
    private static final int SHARDS = 8;
    private static final Pattern AGAIN = Pattern.compile("steps done again .*: ([0-9,]+)");
    private static final Pattern LEFT = Pattern.compile("they are in shards? ([0-9,-]+) of");
    private static final Pattern SUBMITTED = Pattern.compile("submitted job (\\d+) of (\\d+) tasks, and job (\\d+)");

    @TempDir
    Path folder;

    private Path out;
    private SlurmCluster slurm;

    /**
     * 200 runs on two nodes. Five shards are killed by signals, two of which tell them that their
     * time is soon over, so that they queue again of themselves; two are queued again by Slurm, and
     * a node's daemon is stopped for a while. The same command then runs what is missing.
     */
    @Test
    void aDisturbedSweepHasTheBytesOfOneProcess(TestReporter reporter) throws Exception {
        String missing = SlurmCluster.missing();
        if (!missing.isEmpty()) {
            reporter.publishEntry("SKIPPED, nothing is known of Slurm: this machine has no " + missing);
        }
        assumeTrue(missing.isEmpty(), () -> "no " + missing + " (Debian and Ubuntu: apt install slurm-wlm munge)");
        out = folder.resolve("sweep");
        Path place = Files.createDirectory(folder.resolve("slurm"));
        SortedSet<Integer> lost = new TreeSet<>();
        try (SlurmCluster cluster = new SlurmCluster(place)) {
            slurm = cluster;
            String first = submit(SHARDS);
            List<String> killed = new ArrayList<>();
            for (String signal : List.of("KILL", "USR1", "TERM", "requeue", "INT", "USR1", "requeue")) {
                Optional<Integer> shard = awaitShardAtWork(first, lost, killed);
                if (shard.isEmpty()) {
                    break; // all have ended before
                }
                String task = first + "_" + shard.get();
                if (signal.equals("requeue")) {
                    slurm.must("scontrol", "requeue", task);
                } else if (signal.equals("USR1")) {
                    slurm.signal("USR1", "--batch", task);
                } else {
                    slurm.signal(signal, "--full", task);
                    lost.add(shard.get());
                }
                killed.add(shard.get() + " " + signal);
                if (signal.equals("TERM")) {
                    slurm.stopNode("n2");
                    slurm.startNode("n2");
                }
            }
            awaitEnd();
            assertTrue(killed.size() >= 5, killed::toString);
            Set<Integer> left = left(Files.readString(out.resolve("logs/merge.log")));
            assertTrue(lost.containsAll(left), () -> killed + " " + left); // a signal may come after a shard's end
            assertTrue(!left.isEmpty(), killed::toString);
            submit(left.size());
            awaitEnd();
            reporter.publishEntry("disturbed: %s; steps done again: %,d of %,d".formatted(killed, again(), 200 * 2000));
        }
        assertEquals(
                "parity: 200 runs: 200 done, 0 running, 0 waiting, 0 interrupted, 0 failed",
                process("status", out.toString()).out().getFirst());
        Path one = folder.resolve("one");
        process("run", out.resolve("run.json").toString(), "--device", "cpu", "--out", one.toString())
                .assertOk();
        SweepCommandTest.assertSameResults(one, out);
    }

    /** The shards that are not finished, of {@code … they are in shards 1,3-5 of 10; …}. */
    private static SortedSet<Integer> left(String merging) {
        Matcher matcher = LEFT.matcher(merging);
        assertTrue(matcher.find(), merging);
        SortedSet<Integer> shards = new TreeSet<>();
        for (String part : matcher.group(1).split(",")) {
            String[] ends = part.split("-");
            for (int shard = Integer.parseInt(ends[0]); shard <= Integer.parseInt(ends[ends.length - 1]); shard++) {
                shards.add(shard);
            }
        }
        return shards;
    }

    /** Submits what is missing, so many tasks; returns the array job. */
    private String submit(int tasks) throws Exception {
        Process process = Finished.start(
                folder,
                List.of(),
                slurm.environment(),
                "sweep",
                "--device",
                "cpu",
                "--grid",
                "parity d=5..24 steps=2000 seeds=10",
                "--engine",
                "slurm",
                "--shards",
                "" + SHARDS,
                "--parallel",
                "1",
                "--checkpoint-every",
                "500",
                "--out",
                out.toString());
        Finished finished = Finished.await(folder, process);
        finished.assertOk();
        Matcher submitted = SUBMITTED.matcher(finished.out().getLast());
        assertTrue(submitted.find(), finished::toString);
        assertEquals(tasks, Integer.parseInt(submitted.group(2)), finished::toString);
        return submitted.group(1);
    }

    /** A shard that has finished a run and is running, which nothing was done to before. */
    private Optional<Integer> awaitShardAtWork(String job, Set<Integer> lost, List<String> before) throws Exception {
        Set<String> disturbed = new LinkedHashSet<>(
                before.stream().map(each -> each.split(" ")[0]).toList());
        Integer[] found = new Integer[1];
        slurm.await("shard at work", () -> {
            String running = slurm.run("squeue", "-h", "-r", "-t", "RUNNING", "-j", job, "-o", "%a %K");
            for (String line : running.lines().toList()) {
                String shard = line.substring(line.lastIndexOf(' ') + 1);
                if (!disturbed.contains(shard) && shard.matches("\\d+") && hasFinishedARun(Integer.parseInt(shard))) {
                    found[0] = Integer.valueOf(shard);
                    return true;
                }
            }
            return slurm.run("squeue", "-h", "-j", job).isEmpty();
        });
        return Optional.ofNullable(found[0]);
    }

    private boolean hasFinishedARun(int shard) throws IOException {
        Path runs = out.resolve("shards/%d-of-%d/runs".formatted(shard, SHARDS));
        if (!Files.isDirectory(runs)) {
            return false;
        }
        try (Stream<Path> files = Files.list(runs)) {
            return files.anyMatch(file -> file.toString().endsWith(".json"));
        }
    }

    private void awaitEnd() throws Exception {
        slurm.await("end of all jobs", () -> slurm.run("squeue", "-h").isEmpty());
    }

    private long again() throws IOException {
        long steps = 0;
        try (Stream<Path> logs = Files.list(out.resolve("logs"))) {
            for (Path log : logs.toList()) {
                Matcher matcher = AGAIN.matcher(Files.readString(log));
                while (matcher.find()) {
                    steps += Long.parseLong(matcher.group(1).replace(",", ""));
                }
            }
        }
        return steps;
    }

    /** Not in this process, where other tests count what is open. */
    private Finished process(String... words) throws Exception {
        return Finished.await(folder, Finished.start(folder, List.of(), Map.of(), words));
    }
}
