package plateau.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import plateau.check.KernelCheck;
import plateau.cuda.Device;
import plateau.cuda.load.DeviceSelector;
import plateau.cuda.load.DeviceUnavailableException;

/** Runs kernels against their references. */
@Command(
        name = "check",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = {
            "Runs every kernel, or those named, on the device: at random shapes against a float64 reference, and those"
                    + " that draw data against the bits they give everywhere.",
            "An error is told in units of what is allowed. Exit code 1 where a kernel is wrong, 3 where --device asks"
                    + " for a GPU that is not there."
        },
        footer = {
            "",
            "Examples:",
            "  plateau kernels check",
            "      all of them, on a GPU where there is one",
            "  plateau kernels check dense_forward --seed 7 --cases 500 --device cpu",
            "      one, at many shapes, which the seed repeats"
        })
final class KernelsCheckCommand implements Callable<Integer> {
    private static final int CASES = 20;

    @Spec
    private CommandSpec spec;

    @Parameters(
            paramLabel = "NAME",
            arity = "0..*",
            completionCandidates = Names.class,
            description = "kernels (default: all)")
    private List<String> names = new ArrayList<>();

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "seed of the shapes and inputs (default: another one each time, which is printed)")
    private Long seed;

    @Option(
            names = "--cases",
            paramLabel = "N",
            description = "shapes to try for each kernel that takes random ones (default: " + CASES + ")")
    private int cases = CASES;

    @Mixin
    private OneDeviceMixin device;

    /** What a shell offers. */
    private static final class Names implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return KernelCheck.kernels().iterator();
        }
    }

    @Override
    public Integer call() {
        device.check();
        Set<String> wanted = wanted();
        long drawn = seed == null ? System.nanoTime() : seed;
        PrintWriter print = spec.commandLine().getOut();
        try (Device opened = device.open()) {
            print.println("device: " + opened.description());
            print.println("seed: " + drawn);
            print.printf("%-30s %6s %14s%n", "kernel", "cases", "error/allowed");
            long start = System.nanoTime();
            List<KernelCheck.Result> results =
                    new KernelCheck(opened, drawn, cases).run(wanted, result -> print(print, result));
            print.printf(
                    "%,d kernels, %,d cases, %.1f s%n",
                    results.size(),
                    results.stream().mapToInt(KernelCheck.Result::cases).sum(),
                    (System.nanoTime() - start) / 1e9);
            requireRight(wanted, results, drawn);
            return ExitCode.OK;
        } catch (DeviceUnavailableException e) {
            if (device.selector().kind() != DeviceSelector.Kind.CUDA) {
                throw e;
            }
            spec.commandLine().getErr().println("plateau: nothing was checked: " + e.getMessage());
            return ExitCode.SKIPPED;
        }
    }

    private Set<String> wanted() {
        if (cases < 1) {
            throw new IllegalArgumentException("--cases " + cases + ": at least one is needed");
        }
        Set<String> all = KernelCheck.kernels();
        names.stream().filter(name -> !all.contains(name)).findFirst().ifPresent(name -> {
            throw new IllegalArgumentException(
                    "there is no kernel '" + name + "'; without names all are checked, and listed");
        });
        return names.isEmpty() ? all : new LinkedHashSet<>(names);
    }

    private static void print(PrintWriter print, KernelCheck.Result result) {
        print.printf(
                "%-30s %,6d %14s  %s%n",
                result.kernel(),
                result.cases(),
                result.error() == 0 ? "exact" : "%.3f".formatted(result.error()),
                result.complaint().map(what -> "BAD: " + what).orElse("ok"));
    }

    private static void requireRight(Set<String> wanted, List<KernelCheck.Result> results, long seed) {
        List<KernelCheck.Result> bad = results.stream()
                .filter(result -> result.complaint().isPresent())
                .toList();
        if (!bad.isEmpty()) {
            int left = wanted.size() - results.size();
            throw new CommandFailedException(
                    "%d of %d kernels are wrong: %s%s; %s: %s (the same cases again: --seed %d)"
                            .formatted(
                                    bad.size(),
                                    wanted.size(),
                                    bad.stream()
                                            .map(KernelCheck.Result::kernel)
                                            .sorted()
                                            .collect(Collectors.joining(", ")),
                                    left == 0
                                            ? ""
                                            : "; the device could not be used after that, and %d are left"
                                                    .formatted(left),
                                    bad.getFirst().kernel(),
                                    bad.getFirst().complaint().orElseThrow(),
                                    seed));
        }
    }
}
