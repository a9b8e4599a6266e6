package plateau.cli;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** A program of NVIDIA's that is installed beside this one. */
final class NvidiaTool {
    /** Where NVIDIA's packages put programs that are not on everybody's path. */
    private static final List<String> FOLDERS = List.of("/usr/local/cuda/bin", "/opt/nvidia");

    private NvidiaTool() {}

    /** Where it is: on the path, or where NVIDIA's packages put it, of several the latest. */
    static Optional<Path> find(String name, String path) {
        return Stream.concat(
                        Arrays.stream(path.split(File.pathSeparator)).map(Path::of),
                        FOLDERS.stream()
                                .map(Path::of)
                                .flatMap(folder -> Stream.concat(Stream.of(folder), below(folder))))
                .map(folder -> folder.resolve(name))
                .filter(file -> Files.isExecutable(file) && !Files.isDirectory(file))
                .findFirst();
    }

    /** For example nsight-systems/2025.3.1/bin, and nsight-compute/2025.2.0. */
    private static Stream<Path> below(Path folder) {
        return entries(folder)
                .flatMap(product -> entries(product))
                .flatMap(version -> Stream.of(version, version.resolve("bin")));
    }

    /** Folders in a folder, the last by name first. */
    private static Stream<Path> entries(Path folder) {
        List<Path> entries = new ArrayList<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(folder, Files::isDirectory)) {
            all.forEach(entries::add);
        } catch (IOException e) {
            // It is not there.
        }
        return entries.stream().sorted(java.util.Comparator.reverseOrder());
    }

    /**
     * Runs a command to its end, and ends it where this process is ended.
     *
     * @param environment what is added to this process's
     * @param said each line that it says
     * @return its exit code
     */
    static int run(List<String> command, Map<String, String> environment, Consumer<String> said)
            throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(environment);
        builder.redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")));
        Process process = builder.start();
        Thread ending = new Thread(() -> {
            process.descendants().forEach(ProcessHandle::destroy);
            process.destroy();
        });
        Runtime.getRuntime().addShutdownHook(ending);
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            lines.lines().forEach(said);
        }
        int code = process.waitFor();
        try {
            Runtime.getRuntime().removeShutdownHook(ending);
        } catch (IllegalStateException e) {
            // This process is being ended.
        }
        return code;
    }

    /** Runs a command that prints a summary; a failure of it is told in a line. */
    static List<String> summary(List<String> command, PrintWriter err) throws IOException, InterruptedException {
        List<String> lines = new ArrayList<>();
        int code = run(command, Map.of(), lines::add);
        if (code != ExitCode.OK) {
            err.println("plateau: no summary: %s ended with exit code %d%s"
                    .formatted(
                            Path.of(command.getFirst()).getFileName(),
                            code,
                            lines.isEmpty() ? "" : ": " + lines.getLast()));
            return List.of();
        }
        return lines;
    }
}
