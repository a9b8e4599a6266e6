package plateau.cudnn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import plateau.cuda.Device;
import plateau.cuda.load.DeviceOptions;
import plateau.cudnn.bindings.CuDnn;

/**
 * The generated bindings against the header they were made from, against NVIDIA's where it is
 * installed, and against the library.
 */
class BindingsTest {
    private static final Path FOLDER = Path.of(System.getProperty("plateau.basedir"), "native/dnn");

    /** The bindings look their symbols up when they are first touched. */
    @BeforeAll
    static void load() {
        try (Device device = Device.open(DeviceOptions.cpu())) {
            Dnn.of(device).orElseThrow();
        }
    }

    private static List<Method> methods(String suffix) {
        return Arrays.stream(CuDnn.class.getMethods())
                .filter(method -> method.getName().endsWith(suffix))
                .sorted(Comparator.comparing(Method::getName))
                .toList();
    }

    /**
     * A C++ program that compiles if each function has as many parameters as its descriptor, each
     * of the same size, and each enumerator its value.
     */
    private static String assertions(String include) throws ReflectiveOperationException {
        StringBuilder source = new StringBuilder("""
            #include <cstddef>
            extern "C" {
            #include "%s"
            }
            template <class> struct Sizes;
            template <class R, class... A> struct Sizes<R (*)(A...)> {
              static constexpr std::size_t count = sizeof...(A), result = sizeof(R), of[] = {sizeof(A)..., 0};
            };
            """.formatted(include));
        for (Method method : methods("$descriptor")) {
            String symbol = method.getName().replace("$descriptor", ""), sizes = "Sizes<decltype(&" + symbol + ")>";
            FunctionDescriptor descriptor = (FunctionDescriptor) method.invoke(null);
            List<MemoryLayout> parameters = descriptor.argumentLayouts();
            source.append("static_assert(%s::count == %d && %s::result == %d);%n"
                    .formatted(
                            sizes,
                            parameters.size(),
                            sizes,
                            descriptor.returnLayout().orElseThrow().byteSize()));
            for (int i = 0; i < parameters.size(); i++) {
                source.append("static_assert(%s::of[%d] == %d, \"%s, parameter %d\");%n"
                        .formatted(sizes, i, parameters.get(i).byteSize(), symbol, i));
            }
        }
        for (Method method : CuDnn.class.getMethods()) {
            if (method.getName().startsWith("CUDNN_")) {
                source.append("static_assert(%s == %d);%n".formatted(method.getName(), (int) method.invoke(null)));
            }
        }
        return source.append("int main() {}\n").toString();
    }

    private static void assertCompiles(Path folder, Path include, String header) throws Exception {
        Path source = Files.writeString(folder.resolve("check.cpp"), assertions(header));
        Process compiler = new ProcessBuilder(
                        List.of("g++", "-std=c++20", "-fsyntax-only", "-I", include.toString(), source.toString()))
                .redirectErrorStream(true)
                .start();
        String output = new String(compiler.getInputStream().readAllBytes());
        assertEquals(0, compiler.waitFor(), output);
    }

    @Test
    void theyFitOurHeader(@TempDir Path folder) throws Exception {
        List<String> asked = Files.readAllLines(FOLDER.resolve("includes.txt")).stream()
                .filter(line -> line.startsWith("--include-function "))
                .map(line -> line.split(" ")[1])
                .sorted()
                .toList();
        assertEquals(
                asked,
                methods("$descriptor").stream()
                        .map(method -> method.getName().replace("$descriptor", ""))
                        .toList());
        assertCompiles(folder, FOLDER, "cudnn_subset.h");
    }

    @Test
    void theyFitCudnnH(@TempDir Path folder) throws Exception {
        Optional<Path> include = Stream.of(
                        System.getenv("CUDNN_HOME"),
                        System.getenv("CUDA_HOME"),
                        System.getenv("CUDA_PATH"),
                        "/usr/local/cuda",
                        "/usr")
                .filter(Objects::nonNull)
                .map(home -> Path.of(home, "include"))
                .filter(folderOf -> Files.exists(folderOf.resolve("cudnn.h")))
                .findFirst();
        Assumptions.assumeTrue(include.isPresent(), "NVIDIA's cudnn.h is not installed here");
        assertCompiles(folder, include.get(), "cudnn.h");
    }

    @Test
    void theLibraryHasAllOfThem() throws Exception {
        for (Method method : methods("$address")) {
            assertNotEquals(0, ((MemorySegment) method.invoke(null)).address(), method.getName());
        }
    }
}
