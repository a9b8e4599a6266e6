package plateau.cuda.load;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Where NVIDIA's libraries may lie that the loader does not find by itself: in CUDA toolkits, and
 * in the packages that Python has of them, where PyTorch or JAX is installed. The environment alone
 * says where these are, by absolute paths; no program is run.
 */
final class LibraryFolders {
    private final Map<String, String> environment;
    private final Path root;
    private final List<Folder> found = new ArrayList<>();
    private final Set<Path> seen = new HashSet<>();

    /**
     * A folder that is there.
     *
     * @param path absolute
     * @param reason why it is among them, for a reader
     */
    record Folder(Path path, String reason) {}

    private LibraryFolders(Map<String, String> environment, Path root) {
        this.environment = environment;
        this.root = root;
    }

    /** Of this process, the first to be taken first. */
    static List<Folder> all() {
        return all(System.getenv(), Path.of("/"));
    }

    /** As above, with toolkits in usr/local of another folder than that of the system. */
    static List<Folder> all(Map<String, String> environment, Path root) {
        LibraryFolders folders = new LibraryFolders(environment, root);
        folders.toolkits();
        folders.environments();
        folders.pythonOnPath();
        return folders.found;
    }

    /** The folder, and those of Python's packages beside it where it is one of theirs. */
    static List<Path> beside(Path folder) {
        List<Path> places = new ArrayList<>(List.of(folder));
        Path nvidia = folder.resolve("../..").normalize();
        if (folder.endsWith("lib") && nvidia.endsWith("nvidia")) {
            for (Path part : entries(nvidia, "*")) {
                Path place = part.resolve("lib");
                if (!place.equals(folder)) {
                    places.add(place);
                }
            }
        }
        return places;
    }

    private void toolkits() {
        for (String variable : List.of("CUDA_PATH", "CUDA_HOME")) {
            variable(variable).ifPresent(toolkit -> {
                for (String folder : List.of("lib64", "lib", "targets/x86_64-linux/lib")) {
                    add(toolkit.resolve(folder), variable);
                }
            });
        }
        Path local = root.resolve("usr/local");
        add(local.resolve("cuda/lib64"), "the CUDA toolkit");
        entries(local, "cuda-*").forEach(toolkit -> add(toolkit.resolve("lib64"), "a CUDA toolkit"));
    }

    private void environments() {
        variable("VIRTUAL_ENV").ifPresent(prefix -> packages(prefix, "VIRTUAL_ENV"));
        variable("CONDA_PREFIX").ifPresent(prefix -> {
            add(prefix.resolve("lib"), "CONDA_PREFIX");
            add(prefix.resolve("targets/x86_64-linux/lib"), "CONDA_PREFIX");
            packages(prefix, "CONDA_PREFIX");
        });
    }

    /** The first python3 there is, by its own folder, and by that of the file it links to. */
    private void pythonOnPath() {
        Optional<Path> python = Stream.of(environment.getOrDefault("PATH", "").split(":"))
                .flatMap(folder -> absolute(folder).stream())
                .map(folder -> folder.resolve("python3"))
                .filter(Files::isExecutable)
                .findFirst();
        if (python.isEmpty()) {
            return;
        }
        variable("HOME").ifPresent(home -> packages(home.resolve(".local"), "python3"));
        prefix(python.get()).ifPresent(prefix -> packages(prefix, "python3"));
        try {
            prefix(python.get().toRealPath()).ifPresent(prefix -> {
                packages(prefix, "python3");
                packages(prefix.resolve("local"), "python3"); // as Debian has it
            });
        } catch (IOException e) {
            // It has gone meanwhile.
        }
    }

    private static Optional<Path> prefix(Path python) {
        return Optional.ofNullable(python.getParent()).map(Path::getParent);
    }

    /** The libraries in nvidia/PART/lib of each of an installation's folders of packages. */
    private void packages(Path prefix, String reason) {
        for (String library : List.of("lib", "lib64")) {
            for (Path python : entries(prefix.resolve(library), "python3*")) {
                for (String folder : List.of("site-packages", "dist-packages")) {
                    Path nvidia = python.resolve(folder).resolve("nvidia");
                    entries(nvidia, "*").forEach(part -> add(part.resolve("lib"), reason + "'s packages"));
                }
            }
        }
    }

    private void add(Path folder, String reason) {
        try {
            if (Files.isDirectory(folder) && seen.add(folder.toRealPath())) {
                found.add(new Folder(folder, reason));
            }
        } catch (IOException e) {
            // What cannot be read holds nothing.
        }
    }

    /** By their versions, the latest first. */
    private static List<Path> entries(Path folder, String glob) {
        List<Path> entries = new ArrayList<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(folder, glob)) {
            all.forEach(entries::add);
        } catch (IOException e) {
            // It is not there, or cannot be read.
        }
        entries.sort(Comparator.comparing(LibraryFolders::sortable).reversed());
        return entries;
    }

    /** The name with its numbers as long as each other: 3.9 comes before 3.11. */
    private static String sortable(Path entry) {
        StringBuilder name = new StringBuilder();
        for (String part : entry.getFileName().toString().split("(?<=\\D)(?=\\d)|(?<=\\d)(?=\\D)")) {
            name.append(Character.isDigit(part.charAt(0)) ? "0".repeat(Math.max(0, 9 - part.length())) + part : part);
        }
        return name.toString();
    }

    private Optional<Path> variable(String name) {
        return Optional.ofNullable(environment.get(name)).flatMap(LibraryFolders::absolute);
    }

    /** One that is not absolute means something else in each folder that a command runs in. */
    private static Optional<Path> absolute(String path) {
        try {
            return Optional.of(Path.of(path)).filter(Path::isAbsolute);
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
    }
}
