package plateau.cuda.load;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** NVIDIA's libraries beside the driver: which versions serve, and where they are found. */
enum NvidiaLibrary {
    /** 12 as JCublas wants it, or 13 behind the forwarder that has the name it asks for. */
    CUBLAS("cuBLAS", "libcublas", List.of(12, 13), List.of("libcublasLt")),
    /** What it loads for itself, by names alone, lies in other folders of Python's packages. */
    CUDNN("cuDNN", "libcudnn", List.of(9), List.of("libcublasLt", "libnvrtc"));

    /** The versions of CUDA whose libraries another one may load. */
    private static final List<Integer> CUDA = List.of(13, 12);

    private final String title;
    private final String stem;
    private final List<Integer> versions;
    private final List<String> companions;

    NvidiaLibrary(String title, String stem, List<Integer> versions, List<String> companions) {
        this.title = title;
        this.stem = stem;
        this.versions = versions;
        this.companions = companions;
    }

    /** A library that serves. */
    private record Served(DynamicLoader.Loaded loaded, int version) {}

    /**
     * Loads it, for good: then the loader has it for all who ask for its name.
     *
     * @param named the file to take; none: the first that serves, of the loader's and of {@link
     *     LibraryFolders}
     */
    LibrarySearch load(Optional<Path> named) {
        return search(named, new ArrayDeque<>());
    }

    /** What {@link #load} would find where none is named; nothing stays loaded. */
    LibrarySearch find() {
        Deque<DynamicLoader.Loaded> opened = new ArrayDeque<>();
        try {
            return search(Optional.empty(), opened);
        } finally {
            opened.forEach(DynamicLoader.Loaded::close); // the last first
        }
    }

    private LibrarySearch search(Optional<Path> named, Deque<DynamicLoader.Loaded> opened) {
        List<String> refusals = new ArrayList<>();
        return named.map(file -> attempt(file.toString(), "as named", refusals, opened))
                .orElseGet(() -> searchEverywhere(refusals, opened))
                .orElseGet(() -> LibrarySearch.none(
                        refusals.isEmpty()
                                ? "no %s.so.%s where the loader looks, in a CUDA toolkit (CUDA_PATH, /usr/local/cuda)"
                                                .formatted(stem, either())
                                        + " or in Python's packages"
                                : String.join("; ", refusals)));
    }

    private Optional<LibrarySearch> searchEverywhere(List<String> refusals, Deque<DynamicLoader.Loaded> opened) {
        for (int version : versions) {
            String name = stem + ".so." + version;
            Optional<LibrarySearch> found = attempt(name, "where the loader looks", refusals, opened);
            if (found.isPresent()) {
                return found;
            }
        }
        for (LibraryFolders.Folder folder : LibraryFolders.all()) {
            for (int version : versions) {
                Path file = folder.path().resolve(stem + ".so." + version);
                if (Files.isRegularFile(file)) {
                    Optional<LibrarySearch> found = attempt(file.toString(), folder.reason(), refusals, opened);
                    if (found.isPresent()) {
                        return found;
                    }
                }
            }
        }
        return Optional.empty();
    }

    private Optional<LibrarySearch> attempt(
            String library, String reason, List<String> refusals, Deque<DynamicLoader.Loaded> opened) {
        try {
            Path file = Path.of(library);
            if (file.isAbsolute()) {
                loadCompanions(file.getParent(), opened);
            }
            Served served = serve(library, opened);
            return Optional.of(new LibrarySearch(
                    Optional.of(served.loaded.file()),
                    served.loaded.file() + ", " + reason,
                    served.version != versions.getFirst()));
        } catch (UnsatisfiedLinkError e) {
            String words = e.getMessage();
            if (!words.startsWith(library + ": cannot open shared object file: No such file")
                    || library.contains("/")) {
                refusals.add(words.startsWith(library) ? words : library + ": " + words);
            }
            return Optional.empty();
        }
    }

    /**
     * @throws UnsatisfiedLinkError if it cannot be loaded, or is another library or version
     */
    private Served serve(String library, Deque<DynamicLoader.Loaded> opened) {
        DynamicLoader.Loaded loaded = DynamicLoader.load(library);
        opened.push(loaded);
        Matcher version =
                Pattern.compile(Pattern.quote(stem) + "\\.so\\.(\\d+)").matcher(loaded.name());
        if (version.matches() && versions.contains(Integer.valueOf(version.group(1)))) {
            return new Served(loaded, Integer.parseInt(version.group(1)));
        }
        throw new UnsatisfiedLinkError("%s: this is %s; %s %s is wanted"
                .formatted(
                        library,
                        loaded.name().isEmpty() ? "a library without a name" : loaded.name(),
                        title,
                        either()));
    }

    private String either() {
        return versions.stream().map(String::valueOf).collect(Collectors.joining(" or "));
    }

    /**
     * What the library needs of its own version, before the loader finds another's: beside it, and,
     * where it is one of Python's packages, in those beside that. What of them cannot be loaded, it
     * can say itself.
     */
    private void loadCompanions(Path folder, Deque<DynamicLoader.Loaded> opened) {
        for (Path place : this == CUDNN ? LibraryFolders.beside(folder) : List.of(folder)) {
            for (String companion : companions) {
                for (int version : CUDA) {
                    Path file = place.resolve(companion + ".so." + version);
                    if (Files.isRegularFile(file)) {
                        try {
                            opened.push(DynamicLoader.load(file.toString()));
                        } catch (UnsatisfiedLinkError e) {
                            // As said above.
                        }
                    }
                }
            }
        }
    }
}
