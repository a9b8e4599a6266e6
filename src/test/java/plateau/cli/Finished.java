package plateau.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import picocli.CommandLine;
import plateau.cuda.Device;
import plateau.cuda.LiveObjects;
import plateau.cuda.load.DeviceOptions;

/** A command that has ended: its exit code, and the lines it printed. */
record Finished(int code, List<String> out, List<String> err) {

    /**
     * Runs a command in this process and sees that it leaves nothing on the devices that it opened.
     */
    static Finished here(String... arguments) {
        List<Device> opened = new ArrayList<>();
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int code = Main.run(watching(opened), new PrintWriter(out, true), new PrintWriter(err, true), arguments);
        opened.forEach(device -> assertEquals(
                new LiveObjects(0, 0, 0, 0, 0), device.live(), "left by plateau " + String.join(" ", arguments)));
        return new Finished(
                code, out.toString().lines().toList(), err.toString().lines().toList());
    }

    private static CommandLine.IFactory watching(List<Device> opened) {
        return opening(options -> {
            Device device = Device.open(options);
            opened.add(device);
            return device;
        });
    }

    /** What makes commands whose devices are opened by this. */
    static CommandLine.IFactory opening(Function<DeviceOptions, Device> opener) {
        return opening(opener, () -> {});
    }

    /** Likewise, which do this before they start the program in another process. */
    static CommandLine.IFactory opening(Function<DeviceOptions, Device> opener, Runnable starting) {
        return new CommandLine.IFactory() {
            @Override
            public <T> T create(Class<T> type) throws Exception {
                if (type == OneDeviceMixin.class) {
                    return type.cast(new OneDeviceMixin(opener));
                }
                if (type == OwnProgram.class) {
                    return type.cast(new Watched(starting));
                }
                return type == DevicesMixin.class
                        ? type.cast(new DevicesMixin(opener))
                        : CommandLine.defaultFactory().create(type);
            }
        };
    }

    @CommandLine.Command
    private static final class Watched extends OwnProgram {
        private final Runnable starting;

        private Watched(Runnable starting) {
            this.starting = starting;
        }

        @Override
        List<String> command() {
            starting.run();
            return super.command();
        }
    }

    /**
     * Starts a command in a process of its own, with folders put before the class path and
     * variables added to the environment.
     */
    static Process start(Path folder, List<Path> classes, Map<String, String> environment, String... arguments)
            throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command(classes, arguments))
                .directory(folder.toFile())
                .redirectOutput(folder.resolve("stdout").toFile())
                .redirectError(folder.resolve("stderr").toFile());
        builder.environment().putAll(environment);
        return builder.start();
    }

    /** What starts a command, with folders put before the class path. */
    static List<String> command(List<Path> classes, String... arguments) {
        String path = String.join(":", classes.stream().map(Path::toString).toList());
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED"));
        command.addAll(List.of(
                "-cp",
                (path.isEmpty() ? "" : path + ":") + System.getProperty("java.class.path"),
                Main.class.getName()));
        command.addAll(Arrays.asList(arguments));
        return command;
    }

    /** Waits for a started command. */
    static Finished await(Path folder, Process process) throws IOException, InterruptedException {
        assertTrue(process.waitFor(2, TimeUnit.MINUTES), "the command hangs");
        return new Finished(
                process.exitValue(),
                Files.readAllLines(folder.resolve("stdout")),
                Files.readAllLines(folder.resolve("stderr")));
    }

    /** It failed with this code and one line that has these words. */
    void assertError(int expected, String... words) {
        assertEquals(1, err.size(), () -> "lines on stderr: " + err);
        assertEquals(expected, code, err.getFirst());
        assertTrue(err.getFirst().startsWith("plateau: "), err.getFirst());
        for (String word : words) {
            assertTrue(err.getFirst().contains(word), () -> "'" + word + "' is not in: " + err.getFirst());
        }
    }

    /** It ended well and complained about nothing. */
    void assertOk() {
        assertEquals(List.of(), err);
        assertEquals(ExitCode.OK, code);
    }
}
