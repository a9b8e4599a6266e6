package plateau.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A real Slurm of two nodes with one core each, on this machine: its daemons are children of this
 * process, with ports, keys and files of their own, so that nothing of the machine's is touched.
 */
final class SlurmCluster implements AutoCloseable {
    private static final List<String> PROGRAMS = List.of("munged", "slurmctld", "slurmd", "sbatch", "scancel");

    private final Path folder;
    private final Map<String, Process> daemons = new LinkedHashMap<>();

    /** What is missing for one on this machine; empty where nothing is. */
    static String missing() {
        List<String> missing = new ArrayList<>(PROGRAMS.stream()
                .filter(name -> Stream.of(path().split(":"))
                        .noneMatch(directory -> Files.isExecutable(Path.of(directory, name))))
                .toList());
        if (!"root".equals(System.getProperty("user.name"))) {
            missing.add("root's rights");
        }
        return String.join(", ", missing);
    }

    private static String path() {
        return System.getenv("PATH") + ":/usr/sbin:/sbin";
    }

    /** Starts it, and waits until both nodes take jobs. */
    SlurmCluster(Path folder) throws IOException, InterruptedException {
        this.folder = folder;
        for (String name : List.of("state", "spool-n1", "spool-n2", "munge")) {
            Files.createDirectory(folder.resolve(name));
        }
        for (Path above : List.of(folder.getParent(), folder, folder.resolve("munge"))) { // as munged wants them
            Files.setPosixFilePermissions(above, PosixFilePermissions.fromString("rwx--x--x"));
        }
        byte[] key = new byte[128];
        new SecureRandom().nextBytes(key);
        Path keyFile = folder.resolve("munge/key");
        Files.createFile(keyFile, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.write(keyFile, key);
        Files.writeString(folder.resolve("slurm.conf"), configuration());
        start(
                "munged",
                "--foreground",
                "--key-file=" + keyFile,
                "--socket=" + socket(),
                "--pid-file=" + folder.resolve("munge/pid"),
                "--log-file=" + folder.resolve("munge/log"),
                "--seed-file=" + folder.resolve("munge/seed"));
        await("munge's socket", () -> Files.exists(socket()));
        start("slurmctld", "-D");
        startNode("n1");
        startNode("n2");
        await("two nodes that are idle", () -> run("sinfo", "-h", "-o", "%T %D").contains("idle 2"));
    }

    private Path socket() {
        return folder.resolve("munge/socket");
    }

    private String configuration() throws IOException {
        String host = InetAddress.getLocalHost().getHostName().split("\\.")[0];
        List<ServerSocket> taken = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            taken.add(new ServerSocket(0));
        }
        List<Integer> ports = taken.stream().map(ServerSocket::getLocalPort).toList();
        for (ServerSocket each : taken) {
            each.close();
        }
        // A job that is queued again starts once credentials of before are void: soon, here.
        return """
            ClusterName=plateau
            SlurmctldHost=%2$s(127.0.0.1)
            SlurmctldPort=%3$d
            SlurmUser=root
            AuthType=auth/munge
            AuthInfo=socket=%6$s,cred_expire=5
            StateSaveLocation=%1$s/state
            SlurmdSpoolDir=%1$s/spool-%%n
            SlurmctldPidFile=%1$s/slurmctld.pid
            SlurmdPidFile=%1$s/slurmd-%%n.pid
            ProctrackType=proctrack/linuxproc
            TaskPlugin=task/none
            JobAcctGatherType=jobacct_gather/none
            SelectType=select/cons_tres
            SelectTypeParameters=CR_Core
            SchedulerParameters=sched_interval=1,batch_sched_delay=0
            ReturnToService=2
            SlurmdParameters=config_overrides
            SwitchType=switch/none
            MpiDefault=none
            KillWait=5
            NodeName=n1 NodeHostname=%2$s NodeAddr=127.0.0.1 Port=%4$d CPUs=1 RealMemory=1000 State=UNKNOWN
            NodeName=n2 NodeHostname=%2$s NodeAddr=127.0.0.1 Port=%5$d CPUs=1 RealMemory=1000 State=UNKNOWN
            PartitionName=main Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
            """.formatted(folder, host, ports.get(0), ports.get(1), ports.get(2), socket());
    }

    /** What Slurm's own commands, and a program that calls them, must have in their environment. */
    Map<String, String> environment() {
        return Map.of("SLURM_CONF", folder.resolve("slurm.conf").toString(), "PATH", path());
    }

    private ProcessBuilder builder(String... words) {
        ProcessBuilder builder = new ProcessBuilder(words);
        builder.environment().putAll(environment());
        builder.environment().keySet().removeIf(name -> name.startsWith("SLURM_") && !name.equals("SLURM_CONF"));
        return builder;
    }

    private void start(String program, String... arguments) throws IOException {
        startAs(program, Stream.concat(Stream.of(program), Stream.of(arguments)).toArray(String[]::new));
    }

    private void startAs(String name, String... words) throws IOException {
        words[0] = Stream.of(path().split(":"))
                .map(directory -> Path.of(directory, words[0]))
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow()
                .toString();
        File log = folder.resolve(name + ".log").toFile();
        daemons.put(
                name,
                builder(words)
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.appendTo(log))
                        .start());
    }

    /** Starts the daemon of a node; its jobs of before go on. */
    void startNode(String node) throws IOException {
        startAs(node, "slurmd", "-D", "-N", node);
    }

    /** Stops it; its jobs go on. */
    void stopNode(String node) throws InterruptedException {
        Process daemon = daemons.get(node);
        daemon.destroy();
        assertTrue(daemon.waitFor(20, TimeUnit.SECONDS), node + " does not stop");
    }

    /** Runs one of Slurm's commands; returns what it prints. */
    String run(String... words) throws IOException, InterruptedException {
        Process process = builder(words).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes());
        process.waitFor();
        return said.strip();
    }

    /** As above, of a command that must do what it is told. */
    void must(String... words) throws IOException, InterruptedException {
        Process process = builder(words).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor(), () -> String.join(" ", words) + ": " + said);
    }

    /**
     * Sends a signal to a task. What scancel says of it counts for nothing: it tries again for a
     * minute where the task has ended or queued itself again meanwhile, and so is stopped.
     */
    void signal(String name, String way, String task) throws IOException, InterruptedException {
        Process process = builder("scancel", "--signal=" + name, way, task)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        if (!process.waitFor(1, TimeUnit.SECONDS)) {
            process.destroyForcibly();
        }
    }

    /** Something that may become true. */
    interface Condition {
        boolean holds() throws IOException, InterruptedException;
    }

    /** Waits for it. */
    void await(String what, Condition condition) throws IOException, InterruptedException {
        for (long start = System.nanoTime(); !condition.holds(); ) {
            boolean isTime = System.nanoTime() - start < TimeUnit.MINUTES.toNanos(2);
            assertTrue(
                    isTime && daemons.values().stream().allMatch(Process::isAlive), () -> "no " + what + "\n" + logs());
            Thread.sleep(50);
        }
    }

    private String logs() {
        StringBuilder text = new StringBuilder();
        for (String name : daemons.keySet()) {
            try {
                List<String> lines = Files.readAllLines(folder.resolve(name + ".log"));
                lines.subList(Math.max(0, lines.size() - 15), lines.size())
                        .forEach(line ->
                                text.append(name).append(": ").append(line).append('\n'));
            } catch (IOException e) {
                text.append(name).append(": ").append(e.getMessage()).append('\n');
            }
        }
        return text.toString();
    }

    @Override
    public void close() throws IOException {
        try {
            run("scancel", "--user=root", "--full");
            run("scancel", "--user=root");
            for (int i = 0; i < 100 && !run("squeue", "-h").isEmpty(); i++) {
                Thread.sleep(100);
            }
            for (Process daemon : List.copyOf(daemons.values()).reversed()) {
                daemon.destroy();
                if (!daemon.waitFor(10, TimeUnit.SECONDS)) {
                    daemon.destroyForcibly();
                }
            }
        } catch (InterruptedException e) {
            daemons.values().forEach(Process::destroyForcibly);
            Thread.currentThread().interrupt();
        }
    }
}
