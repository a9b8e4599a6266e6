package plateau.cuda.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import jcuda.LibUtils;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.Test;
import plateau.reference.Elf;

/** The functions that are looked for are those that the program calls. */
class DriverFunctionsTest {
    /** Calls through JCuda, and the symbols that are called past it. */
    private static final Pattern CALL = Pattern.compile("JCudaDriver\\.(cu\\w+)\\(|\\bhandle\\(\\s*\"(cu\\w+)\"");

    /** What JCuda's library asks the loader for. */
    private static Set<String> imports() throws IOException {
        String name =
                "/lib/" + LibUtils.createLibraryFileName(LibUtils.createPlatformLibraryName("JCudaDriver-12.6.0"));
        try (InputStream in = JCudaDriver.class.getResourceAsStream(name)) {
            return new Elf(ByteBuffer.wrap(in.readAllBytes()))
                    .symbols().stream()
                            .filter(symbol -> symbol.name().startsWith("cu") && !symbol.isDefined())
                            .map(Elf.Symbol::name)
                            .collect(Collectors.toSet());
        }
    }

    /** The one that JCuda's library calls for a function of JCuda: cuda.h adds versions to some. */
    private static String symbol(String function, Set<String> imports) {
        return Stream.of(function, function + "_v2", function + "WithFlags")
                .filter(imports::contains)
                .findFirst()
                .orElseThrow(() -> new AssertionError("JCuda's library does not import " + function));
    }

    @Test
    void allThatAreCalledAreLookedFor() throws IOException {
        Set<String> imports = imports();
        Set<String> called = new TreeSet<>();
        Path sources = Path.of(System.getProperty("plateau.basedir", "."), "src/main/java/plateau");
        try (Stream<Path> files = Files.walk(sources)) {
            for (Path file :
                    files.filter(path -> path.toString().endsWith(".java")).toList()) {
                Matcher call = CALL.matcher(Files.readString(file));
                while (call.find()) {
                    called.add(call.group(1) == null ? call.group(2) : symbol(call.group(1), imports));
                }
            }
        }
        assertTrue(called.contains("cuLaunchKernel") && called.contains("cuMemAlloc_v2"), called::toString);
        assertEquals(called, new TreeSet<>(DriverFunctions.NEEDED));
    }
}
