import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Holds kernels to the contract at the head of kernels/common.cuh: the kernels of a file are
 * compiled by native/simt/contract.h as the two kinds they are, and the elementwise ones run. What
 * is wrong is told in one line per kernel.
 */
final class KernelContract {
    private static final Pattern KERNEL =
            Pattern.compile("extern\\s+\"C\"\\s+__global__\\s+void\\s+(?:__launch_bounds__\\((\\d+)\\)\\s*)?"
                    + "(?!__launch_bounds__)(\\w+)\\s*\\(([^)]*)\\)");
    private static final Pattern REPLICATED = Pattern.compile("\\blong\\s+long\\s+replica_stride\\s*$");
    private static final Pattern GLOBAL = Pattern.compile("\\b__global__\\b");
    private static final Pattern COMMENT = Pattern.compile("//[^\\n]*|/\\*.*?\\*/", Pattern.DOTALL);

    /** What contract.h's refusals look like: two kinds of C++ error, with its words at the end. */
    private static final Pattern REFUSAL = Pattern.compile(
            "error: (?:call to '.*' declared with 'error' attribute|static assertion failed(?: due to requirement"
                    + " '.*')?): (.*)");

    /** Before what contract.h says that an elementwise kernel uses and may not. */
    private static final String USES = "uses ";

    /**
     * Kernels without and with {@code __launch_bounds__}, and what makes contract.h compile them.
     */
    enum Kind {
        ELEMENTWISE("-DSIMT_ELEMENTWISE_CONTRACT"),
        COOPERATIVE("-DSIMT_COOPERATIVE_CONTRACT", "-DSIMT_ONE_THREAD");

        private final List<String> macros;

        Kind(String... macros) {
            this.macros = List.of(macros);
        }

        /** As messages and files name it. */
        String text() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * A kernel as its file declares it.
     *
     * @param bound its launch bound, 0 where it has none
     * @param replicated whether it works on replicas, as many bytes apart as its last parameter is
     */
    record Declaration(String name, int bound, boolean replicated) {
        Kind kind() {
            return bound > 0 ? Kind.COOPERATIVE : Kind.ELEMENTWISE;
        }
    }

    /** A file breaks the contract, or does not compile. */
    static final class Violation extends RuntimeException {
        Violation(String message) {
            super(message);
        }
    }

    private final Path root;
    private final Path clang;

    KernelContract(Path root, Path clang) {
        this.root = root;
        this.clang = clang;
    }

    /**
     * The kernels of a file, in order.
     *
     * @throws Violation if one is declared in another way than is understood here, or in a header
     */
    List<Declaration> declarations(Path source) throws IOException {
        String text = COMMENT.matcher(Files.readString(source)).replaceAll(" ");
        List<Declaration> kernels = new ArrayList<>();
        for (Matcher kernel = KERNEL.matcher(text); kernel.find(); ) {
            String bound = kernel.group(1);
            kernels.add(new Declaration(
                    kernel.group(2),
                    bound == null ? 0 : Integer.parseInt(bound),
                    REPLICATED.matcher(kernel.group(3)).find()));
        }
        if (kernels.size() != GLOBAL.matcher(text).results().count()) {
            throw new Violation(named(source) + ": every kernel is declared as: "
                    + "extern \"C\" __global__ void [__launch_bounds__(N)] name(, where N is a number");
        }
        if (!kernels.isEmpty() && !source.toString().endsWith(".cu")) {
            throw new Violation("%s: kernel %s: kernels stand in .cu files, where images list them"
                    .formatted(named(source), kernels.getFirst().name()));
        }
        return kernels;
    }

    /** The command that makes the program which checks all kernels of a kind in a file. */
    List<String> command(Kind kind, Path shim, Path program) {
        return Stream.of(
                        List.of(clang.toString(), "--driver-mode=g++", "-std=c++20", "-O1", "-fdeclspec"),
                        List.of("-march=x86-64-v3", "-fno-exceptions", "-fno-rtti", "-nostdlib++", "-w"),
                        kind.macros,
                        List.of("-I", root.resolve("native").toString(), shim.toString(), "-o", program.toString()))
                .flatMap(List::stream)
                .toList();
    }

    /**
     * Compiles and runs the check of a kind's kernels in a file.
     *
     * @param command as {@link #command} gives it
     * @return a line for each kernel that breaks the contract
     * @throws Violation with what the compiler says, where that is something else
     */
    List<String> violations(Path source, Kind kind, List<String> command, Path log)
            throws IOException, InterruptedException {
        boolean compiled = run(command, log) == 0;
        if (compiled && run(program(command), log) == 0) {
            return List.of();
        }
        String output = Files.readString(log);
        if (!compiled && !REFUSAL.matcher(output).find()) {
            throw new Violation(named(source) + " does not compile:\n" + output);
        }
        List<String> lines = new ArrayList<>();
        for (Declaration kernel : declarations(source)) {
            if (kernel.kind() == kind) {
                String complaint = complaint(kernel, command, log);
                if (!complaint.isEmpty()) {
                    lines.add("%s: %s kernel %s: %s".formatted(named(source), kind.text(), kernel.name(), complaint));
                }
            }
        }
        return lines;
    }

    /** What the contract says about one kernel; empty if nothing. */
    private static String complaint(Declaration kernel, List<String> command, Path log)
            throws IOException, InterruptedException {
        List<String> alone = new ArrayList<>(command);
        alone.add("-DSIMT_ONLY=" + kernel.name());
        if (run(alone, log) != 0) {
            List<String> refusals = REFUSAL.matcher(Files.readString(log))
                    .results()
                    .map(refusal -> refusal.group(1))
                    .distinct()
                    .sorted()
                    .toList();
            return kernel.kind() == Kind.ELEMENTWISE && refusals.stream().allMatch(refusal -> refusal.startsWith(USES))
                    ? USES
                            + refusals.stream()
                                    .map(refusal -> refusal.substring(USES.length()))
                                    .collect(Collectors.joining(", "))
                            + ", which takes __launch_bounds__; without, a kernel is one thread per element_index()"
                    : String.join("; ", refusals);
        }
        return run(program(command), log) == 0
                ? ""
                : "its first parameter, an int, is not the number of elements: a thread past it does something";
    }

    private static List<String> program(List<String> command) {
        return List.of(command.get(command.indexOf("-o") + 1));
    }

    private static int run(List<String> command, Path log) throws IOException, InterruptedException {
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start()
                .waitFor();
    }

    private Path named(Path source) {
        return source.startsWith(root) ? root.relativize(source) : source.getFileName();
    }
}
