import com.palantir.javaformat.java.FormatterException;
import com.palantir.javaformat.java.FormatterService;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Stream;

/**
 * Holds the sources in one format: Java as palantir-java-format writes it, C++ and CUDA as
 * clang-format does with {@code .clang-format}. Neither fills prose; SourceTest holds its width.
 *
 * <p>Run as {@code Format.java check|write root}: prints the files that are not formatted, one a
 * line, and fails if there are any; or formats them.
 */
final class Format {
    private static final Path GENERATED = Path.of("src/main/java/plateau/cudnn/bindings");

    /** A source and what it should be. */
    private record Formatted(Path file, String text) {}

    private static final FormatterService JAVA =
            ServiceLoader.load(FormatterService.class).findFirst().orElseThrow();

    private static Path root;
    private static Path clangFormat;

    private Format() {}

    static void main(String... arguments) throws IOException {
        root = Path.of(arguments[1]);
        clangFormat = Build.prepareClang(root.resolve("target/toolchain/org/bytedeco/llvm/linux-x86_64"))
                .resolveSibling("clang-format");
        List<Formatted> unformatted = Stream.of("src", "native", "kernels")
                .flatMap(Format::files)
                .parallel()
                .map(file -> new Formatted(file, isJava(file) ? java(file) : cpp(file)))
                .filter(formatted -> !formatted.text.equals(read(formatted.file)))
                .toList();
        if (arguments[0].equals("write")) {
            for (Formatted formatted : unformatted) {
                Files.writeString(root.resolve(formatted.file), formatted.text);
            }
        } else if (!unformatted.isEmpty()) {
            unformatted.forEach(formatted -> System.err.println(formatted.file + " is not formatted"));
            System.err.println("plateau: format the sources with: mvn -B generate-sources exec:exec@format"
                    + " -Dplateau.format=write");
            System.exit(1);
        }
    }

    /** The sources below a folder, relative to the root. */
    private static Stream<Path> files(String folder) {
        try (Stream<Path> files = Files.walk(root.resolve(folder))) {
            return files
                    .map(root::relativize)
                    .filter(file -> file.toString().matches(".*\\.(java|cu|cuh|h|cpp)"))
                    .filter(file -> !file.startsWith(GENERATED))
                    .sorted()
                    .toList()
                    .stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isJava(Path file) {
        return file.toString().endsWith(".java");
    }

    private static String java(Path file) {
        try {
            return JAVA.formatSourceReflowStringsAndFixImports(read(file));
        } catch (FormatterException e) {
            throw new IllegalStateException(file + ": " + e.getMessage(), e);
        }
    }

    private static String cpp(Path file) {
        try {
            Process process = new ProcessBuilder(clangFormat.toString(), file.toString())
                    .directory(root.toFile())
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new IllegalStateException(file + ": clang-format failed");
            }
            return text;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(root.resolve(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
