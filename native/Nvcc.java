import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * NVIDIA's compiler, as it is installed.
 *
 * @param program its path
 * @param version of the toolkit, for example 13.0
 * @param architectures those of this project's that it compiles for, the oldest first
 */
record Nvcc(Path program, String version, List<String> architectures) {
    /** Compute capabilities without their point, from that of the T4 on. */
    private static final List<String> WANTED = List.of("75", "80", "86", "89", "90", "100", "120");

    /** The first that compiles C++20. */
    private static final int OLDEST = 12;

    private static final Pattern RELEASE = Pattern.compile("release ((\\d+)\\.\\d+)");

    /** One that cannot be used: why, in one line. */
    static final class UnusableException extends RuntimeException {
        UnusableException(String message) {
            super(message);
        }
    }

    /**
     * Asks it what it is.
     *
     * @throws UnusableException if it is too old, compiles for no architecture here, or is no nvcc
     */
    static Nvcc of(Path program) throws IOException, InterruptedException {
        Matcher release = RELEASE.matcher(answer(program, "--version"));
        if (!release.find()) {
            throw new UnusableException(program + " does not say which release of nvcc it is");
        }
        if (Integer.parseInt(release.group(2)) < OLDEST) {
            throw new UnusableException(
                    "%s is of CUDA %s; %d.0 or later is needed".formatted(program, release.group(1), OLDEST));
        }
        List<String> known = answer(program, "--list-gpu-code").lines().toList();
        List<String> architectures =
                WANTED.stream().filter(name -> known.contains("sm_" + name)).toList();
        if (architectures.isEmpty()) {
            throw new UnusableException(program + " compiles for none of sm_" + String.join(", ", WANTED));
        }
        return new Nvcc(program, release.group(1), architectures);
    }

    /** Machine code for each architecture, and PTX for those to come. */
    List<String> code() {
        String oldest = architectures.getFirst();
        return Stream.concat(
                        architectures.stream().map(name -> "-gencode=arch=compute_%s,code=sm_%s".formatted(name, name)),
                        Stream.of("-gencode=arch=compute_%s,code=compute_%s".formatted(oldest, oldest)))
                .toList();
    }

    /** "13.0 75 80", which the program tells its user. */
    @Override
    public String toString() {
        return version + " " + String.join(" ", architectures);
    }

    private static String answer(Path program, String question) throws IOException, InterruptedException {
        Process process;
        try {
            process = new ProcessBuilder(program.toString(), question)
                    .redirectErrorStream(true)
                    .start();
        } catch (IOException e) {
            throw new UnusableException(program + " cannot be run: " + e.getMessage());
        }
        String answer = new String(process.getInputStream().readAllBytes());
        if (process.waitFor() != 0) {
            throw new UnusableException("%s %s fails: %s".formatted(program, question, answer.strip()));
        }
        return answer;
    }
}
