package plateau.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import plateau.cuda.Device;
import plateau.reference.TestDevice;

/** No kernel is forgotten: each is in a table of cases, or has a test that says it runs it. */
class KernelsAreTestedTest {
    @Test
    void everyKernelHasATest() throws Exception {
        List<Class<?>> classes = ofThisPackage();
        Set<String> tested = new TreeSet<>();
        classes.stream().flatMap(KernelsAreTestedTest::ofTable).forEach(tested::add);
        classes.stream().flatMap(KernelsAreTestedTest::ofMethods).forEach(tested::add);
        Set<String> all = new TreeSet<>(
                KernelSources.all().stream().map(KernelSources.Source::kernel).toList());
        assertTrue(all.size() > 60, all::toString);
        assertEquals(Set.of(), without(all, tested), "kernels without a test");
        assertEquals(Set.of(), without(tested, all), "tests of kernels that are not there");
    }

    private static Set<String> without(Set<String> names, Set<String> others) {
        Set<String> rest = new TreeSet<>(names);
        rest.removeAll(others);
        return rest;
    }

    /** It decides at which block sizes a kernel is tested. */
    @Test
    void theImageTellsAKernelsKind() {
        try (Device device = TestDevice.open()) {
            assertEquals(device.isCpu(), KernelSources.isCooperative("column_sums"));
        }
        assertFalse(KernelSources.isCooperative("sgd"));
    }

    private static List<Class<?>> ofThisPackage() throws Exception {
        Path folder = Path.of(KernelCases.class.getResource(".").toURI());
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith("Test.class"))
                    .<Class<?>>map(name -> named(KernelCases.class.getPackageName() + "." + name.replace(".class", "")))
                    .toList();
        }
    }

    private static Class<?> named(String name) {
        try {
            return Class.forName(name);
        } catch (ClassNotFoundException e) {
            throw new AssertionError(e);
        }
    }

    private static Stream<String> ofTable(Class<?> type) {
        if (!KernelCases.class.isAssignableFrom(type)) {
            return Stream.empty();
        }
        try {
            KernelCases table = (KernelCases) type.getDeclaredConstructor().newInstance();
            return table.cases().keySet().stream().flatMap(name -> KernelCases.kernels(name).stream());
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }

    private static Stream<String> ofMethods(Class<?> type) {
        return Arrays.stream(type.getDeclaredMethods())
                .filter(method -> method.isAnnotationPresent(RunsKernels.class))
                .flatMap(method ->
                        Arrays.stream(method.getAnnotation(RunsKernels.class).value()));
    }
}
