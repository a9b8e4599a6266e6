package plateau.cuda.load;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The list of native files that the build wrote, a line "sha256 size path" for each.
 *
 * @param files by their paths below the folder {@code plateau} of the class path
 */
record NativeIndex(Map<String, NativeFile> files) {
    /** Of the program that runs. */
    static final NativeIndex OWN = read();

    /** The file of that path, if the build has it. */
    Optional<NativeFile> find(String path) {
        return Optional.ofNullable(files.get(path));
    }

    /** How many have that ending. */
    long count(String ending) {
        return files.keySet().stream().filter(path -> path.endsWith(ending)).count();
    }

    /** A name for exactly these files. */
    String name() {
        StringBuilder lines = new StringBuilder();
        files.forEach((path, file) ->
                lines.append(file.sha256()).append(' ').append(path).append('\n'));
        return NativeFile.sha256(lines.toString().getBytes(StandardCharsets.UTF_8))
                .substring(0, 16);
    }

    /** All lists on the class path: tests bring one of their own beside the program's. */
    private static NativeIndex read() {
        Map<String, NativeFile> files = new TreeMap<>();
        try {
            for (URL index :
                    Collections.list(NativeIndex.class.getClassLoader().getResources("plateau/native/index"))) {
                try (InputStream in = index.openStream()) {
                    new String(in.readAllBytes(), StandardCharsets.UTF_8)
                            .lines()
                            .forEach(line -> {
                                String[] parts = line.split(" ", 3);
                                files.put(
                                        parts[2],
                                        new NativeFile("/plateau/" + parts[2], parts[0], Long.parseLong(parts[1])));
                            });
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new NativeIndex(files);
    }
}
