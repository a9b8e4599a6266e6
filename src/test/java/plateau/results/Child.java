package plateau.results;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import plateau.results.ResultFolder.Purpose;

/** A process of its own that writes results until it is told to end, or is killed. */
final class Child implements AutoCloseable {
    private final Process process;
    private final BufferedReader output;

    private Child(Process process) {
        this.process = process;
        this.output = process.inputReader();
    }

    /** Starts one that claims a folder and says "claimed", or why not. */
    static Child claiming(Path folder) throws IOException {
        return start("claim", folder.toString());
    }

    /** Starts one that claims a folder and logs rows without end. */
    static Child logging(Path folder) throws IOException {
        return start("log", folder.toString());
    }

    private static Child start(String... arguments) throws IOException {
        String classes = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                classes,
                Child.class.getName()));
        command.addAll(List.of(arguments));
        return new Child(new ProcessBuilder(command).redirectErrorStream(true).start());
    }

    /** The next line that it prints; null behind the last. */
    String line() throws IOException {
        return output.readLine();
    }

    /** Kills it, as SIGKILL does. */
    void kill() throws InterruptedException {
        process.destroyForcibly();
        if (!process.waitFor(30, TimeUnit.SECONDS)) {
            throw new AssertionError("a killed process is still there");
        }
    }

    /** Ends it by the end of its input. */
    void finish() throws IOException, InterruptedException {
        process.getOutputStream().close();
        if (!process.waitFor(30, TimeUnit.SECONDS)) {
            throw new AssertionError("a process does not end");
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }

    /** What the process does. */
    public static void main(String[] arguments) throws IOException {
        try (ResultFolder folder = ResultFolder.claim(Path.of(arguments[1]), Purpose.REPLACE, "the child")) {
            System.out.println("claimed");
            if (arguments[0].equals("log")) {
                log(folder);
            }
            System.in.read();
        } catch (FolderException e) {
            System.out.println(e.getClass().getSimpleName() + " " + e.getMessage());
        }
    }

    /** The value of a row is that of its step, so that every row can be checked. */
    private static void log(ResultFolder folder) throws IOException {
        RunLog log = RunLog.open(folder, "run", List.of("loss", "half"), 0, 0);
        for (long step = 1; ; step++) {
            log.log(LogRow.of(step, new double[] {step, step / 2.0}, new double[0]));
            if (step % 997 == 0) {
                log.flush();
            }
        }
    }
}
