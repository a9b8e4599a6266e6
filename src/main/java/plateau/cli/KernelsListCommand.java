package plateau.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import plateau.kernel.Catalogue;

/** The catalogue of kernels. */
@Command(
        name = "list",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = {
            "Lists the kernels by their files, with what each computes; of those named, all that is known: arguments"
                    + " with their shapes, kind, launch, and, where this build had ptxas, registers, shared memory,"
                    + " spills and theoretical occupancy on each architecture.",
            "An elementwise kernel is launched in blocks of 256 threads. A cooperative one has a launch bound: its"
                    + " blocks may have any multiple of 32 threads up to that."
        },
        footer = {
            "",
            "Examples:",
            "  plateau kernels list",
            "      all of them",
            "  plateau kernels list dense_forward",
            "      one, with its arguments and what it takes of a GPU"
        })
final class KernelsListCommand implements Callable<Integer> {
    private static final int ELEMENTWISE_THREADS = 256;
    private static final int LEAST_SHOWN = 64;

    @Spec
    private CommandSpec spec;

    @Parameters(
            paramLabel = "NAME",
            arity = "0..*",
            completionCandidates = Names.class,
            description = "kernels (default: all, a line each)")
    private List<String> names = new ArrayList<>();

    @Option(names = "--markdown", description = "all of them, or those named, as a table in Markdown")
    private boolean markdown;

    /** What a shell offers. */
    private static final class Names implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Catalogue.names().iterator();
        }
    }

    @Override
    public Integer call() {
        PrintWriter print = spec.commandLine().getOut();
        Catalogue.requireKnown(names);
        if (markdown) {
            print.println("| kernel | kind | what it computes |");
            print.println("| --- | --- | --- |");
        }
        for (Catalogue.KernelFile file : Catalogue.files()) {
            List<Catalogue.Entry> wanted = file.kernels().stream()
                    .filter(kernel -> names.isEmpty() || names.contains(kernel.name()))
                    .toList();
            if (wanted.isEmpty()) {
                continue;
            }
            if (markdown) {
                print.println("| [`%s`](%s) | | %s |".formatted(file.file(), file.file(), escaped(file.about())));
                wanted.forEach(kernel -> print.println(
                        "| `%s` | %s | %s |".formatted(kernel.name(), kind(kernel), escaped(kernel.summary()))));
            } else if (names.isEmpty()) {
                print.printf("%s: %s%n", file.file(), file.about());
                wanted.forEach(
                        kernel -> print.printf("  %-28s %-11s  %s%n", kernel.name(), kind(kernel), kernel.summary()));
            } else {
                wanted.forEach(kernel -> print(print, file, kernel));
            }
        }
        return ExitCode.OK;
    }

    private static String kind(Catalogue.Entry kernel) {
        return kernel.isCooperative() ? "cooperative" : "elementwise";
    }

    private static String escaped(String text) {
        return text.replace("|", "\\|").replace("<", "&lt;");
    }

    private static void print(PrintWriter print, Catalogue.KernelFile file, Catalogue.Entry kernel) {
        print.printf("%s, %s:%d%n", kernel.name(), file.file(), kernel.line());
        print.printf("  %s%n", file.about());
        print.printf("  %s%n", kernel.comment());
        print.printf(
                "  %s, %s%n",
                kind(kernel),
                kernel.isCooperative()
                        ? "blocks of up to %d threads".formatted(kernel.bound())
                        : "blocks of %d threads".formatted(ELEMENTWISE_THREADS));
        if (!kernel.launch().isEmpty()) {
            print.printf("  launch: %s%n", kernel.launch());
        }
        for (Catalogue.Parameter parameter : kernel.parameters()) {
            print.printf("    %-22s %s%n", parameter.type(), parameter.name() + parameter.shape());
        }
        if (kernel.uses().isEmpty()) {
            print.println("  registers and the like: not known, as no ptxas was there when this was built");
        } else {
            printUses(print, kernel);
        }
        print.println();
    }

    private static void printUses(PrintWriter print, Catalogue.Entry kernel) {
        int[] blocks = kernel.isCooperative() ? blocks(kernel.bound()) : new int[] {ELEMENTWISE_THREADS};
        StringBuilder head = new StringBuilder(
                "  %-8s %9s %9s %9s   occupancy in blocks of".formatted("", "registers", "shared B", "spilled B"));
        for (int block : blocks) {
            head.append(" %5d".formatted(block));
        }
        print.println(head);
        for (Catalogue.Use use : kernel.uses()) {
            StringBuilder line = new StringBuilder("  %-8s %9d %,9d %9d                         "
                    .formatted(use.architecture(), use.registers(), use.sharedBytes(), use.spilledBytes()));
            for (int block : blocks) {
                line.append(" %3.0f %%".formatted(100 * use.occupancy(block)));
            }
            print.println(line);
        }
    }

    /** From 64 threads on, doubled; the bound is the last. */
    private static int[] blocks(int bound) {
        return IntStream.concat(
                        IntStream.iterate(LEAST_SHOWN, block -> block < bound, block -> 2 * block), IntStream.of(bound))
                .toArray();
    }
}
