package plateau;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Packages depend in one direction only, and CUDA's bindings stay where they belong. */
class ArchitectureTest {
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("plateau");

    /** The rooms from the roof down, each with those below it that it may look into. */
    private static final SequencedMap<String, List<String>> ROOMS = new LinkedHashMap<>();

    static {
        ROOMS.put(
                "cli",
                List.of(
                        "bench",
                        "check",
                        "report",
                        "study",
                        "train",
                        "theory",
                        "experiment",
                        "autograd",
                        "kernel",
                        "cudnn",
                        "cuda",
                        "figure",
                        "results"));
        ROOMS.put("bench", List.of("train", "experiment", "autograd", "kernel", "cuda"));
        ROOMS.put("report", List.of("study", "train", "theory", "experiment", "figure", "results"));
        ROOMS.put("study", List.of("train", "experiment", "autograd", "kernel", "cuda", "figure", "results"));
        ROOMS.put("train", List.of("experiment", "autograd", "kernel", "cuda", "results"));
        ROOMS.put("theory", List.of("experiment", "autograd", "kernel", "cuda", "figure", "results"));
        ROOMS.put("experiment", List.of("nn", "autograd", "kernel", "cuda", "figure", "results"));
        ROOMS.put("nn", List.of("autograd", "kernel", "cuda"));
        ROOMS.put("autograd", List.of("kernel", "cuda"));
        ROOMS.put("check", List.of("kernel", "cuda"));
        ROOMS.put("kernel", List.of("cudnn", "cuda"));
        ROOMS.put("cudnn", List.of("cuda"));
        ROOMS.put("cuda", List.of());
        ROOMS.put("figure", List.of());
        ROOMS.put("results", List.of());
    }

    @Test
    void dependenciesPointDown() {
        List<String> names = List.copyOf(ROOMS.keySet());
        ROOMS.forEach((room, below) -> below.forEach(
                other -> assertTrue(names.indexOf(room) < names.indexOf(other), room + " above " + other)));
        for (String room : names) {
            String[] others = names.stream()
                    .filter(other -> !other.equals(room) && !ROOMS.get(room).contains(other))
                    .map(other -> "plateau." + other + "..")
                    .toArray(String[]::new);
            noClasses()
                    .that()
                    .resideInAPackage("plateau." + room + "..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(others)
                    .check(CLASSES);
        }
        classes()
                .should()
                .resideInAnyPackage(
                        names.stream().map(room -> "plateau." + room + "..").toArray(String[]::new))
                .check(CLASSES);
        slices().matching("plateau.(**)").should().beFreeOfCycles().check(CLASSES);
    }

    /**
     * Results know neither a device nor the library that figures are drawn with; figures are
     * values.
     */
    @Test
    void whatDrawsAndWhatIsDrawnAreApart() {
        noClasses()
                .that()
                .resideOutsideOfPackage("plateau.report..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.knowm..", "de.erichseifert..", "java.awt..")
                .check(CLASSES);
        noClasses()
                .that()
                .resideOutsideOfPackage("plateau.cli..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("picocli..")
                .check(CLASSES);
    }

    /** Runs are values inside; only the command line knows how they are typed. */
    @Test
    void noOptionIsNamedOutsideTheCommandLine() throws IOException {
        Path sources = Path.of(System.getProperty("plateau.basedir"), "src/main/java/plateau");
        List<String> found = new ArrayList<>();
        try (Stream<Path> files = Files.walk(sources)) {
            for (Path file : files.filter(
                            each -> each.toString().endsWith(".java") && !each.startsWith(sources.resolve("cli")))
                    .toList()) {
                List<String> lines = Files.readAllLines(file);
                IntStream.range(0, lines.size())
                        .filter(i -> lines.get(i).contains("\"--"))
                        .forEach(i -> found.add(sources.relativize(file) + ":" + (i + 1)));
            }
        }
        assertEquals(List.of(), found);
    }

    @Test
    void everyPackageSaysWhatItIs() throws IOException {
        Path sources = Path.of(System.getProperty("plateau.basedir"), "src/main/java/plateau");
        try (Stream<Path> folders = Files.walk(sources)) {
            for (Path folder : folders.filter(Files::isDirectory)
                    .filter(each -> !each.equals(sources) && !each.endsWith("bindings"))
                    .toList()) {
                assertTrue(Files.exists(folder.resolve("package-info.java")), folder::toString);
            }
        }
    }

    @Test
    void onlyTheCudaLayersKnowTheBindings() {
        noClasses()
                .that()
                .resideOutsideOfPackages("plateau.cuda..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("jcuda..")
                .check(CLASSES);
        noClasses()
                .that()
                .resideOutsideOfPackages("plateau.cuda..", "plateau.cudnn..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("java.lang.foreign..")
                .check(CLASSES);
    }

    /**
     * Typed CUDA is opened through three classes; launchers and what stands on them take a device
     * as it is.
     */
    @Test
    void whereLibrariesAreFoundIsNoConcernOfKernels() {
        noClasses()
                .that()
                .resideInAPackage("plateau.cuda")
                .and()
                .doNotHaveFullyQualifiedName("plateau.cuda.Device")
                .and()
                .doNotHaveFullyQualifiedName("plateau.cuda.Calls")
                .and()
                .doNotHaveFullyQualifiedName("plateau.cuda.Blas")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("plateau.cuda.load")
                .check(CLASSES);
        noClasses()
                .that()
                .resideInAnyPackage(
                        "plateau.kernel..",
                        "plateau.check..",
                        "plateau.autograd..",
                        "plateau.nn..",
                        "plateau.experiment..",
                        "plateau.cudnn..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("plateau.cuda.load")
                .check(CLASSES);
        noClasses()
                .that()
                .resideInAPackage("plateau.cuda.load")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("plateau.cuda")
                .check(CLASSES);
    }
}
