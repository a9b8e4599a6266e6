package plateau.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EnvironmentTest {
    private static String refusal(String variable, String value) {
        return assertThrows(IllegalArgumentException.class, () -> Environment.check(Map.of(variable, value)))
                .getMessage();
    }

    @Test
    void whatIsMeantIsAccepted() {
        Environment.check(Map.of());
        for (String threads : new String[] {"", "1", "16", "1024"}) {
            Environment.check(Map.of("PLATEAU_CPU_THREADS", threads));
        }
        Environment.check(Map.of("PLATEAU_FAULT", "cuMemAlloc:3:2,cudnnSetStream:1:-1"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-1", "1025", "100000", "99999999999999999999", "abc", "2x", " 2", "1.5", "\u0662"})
    void threadsAreAWholeNumber(String wrong) {
        assertEquals(
                "PLATEAU_CPU_THREADS is '" + wrong + "': it must be a whole number from 1 to 1024",
                refusal("PLATEAU_CPU_THREADS", wrong));
    }

    @Test
    void faultsNameAFunctionACallAndACode() {
        for (String wrong : new String[] {"x", "cuInit:0:1", "cuInit:1", "cuInit:1:1,", "cuInit:a:1", "cuInit:1:1:1"}) {
            assertTrue(refusal("PLATEAU_FAULT", wrong).startsWith("PLATEAU_FAULT: '"), wrong);
        }
        assertEquals(1, refusal("PLATEAU_FAULT", "a\nb").lines().count());
    }

    @Test
    void theDriverHasTheSameLimit() throws Exception {
        String header = Files.readString(Path.of(System.getProperty("plateau.basedir"), "native/driver/limits.h"));
        assertTrue(header.contains("kMostThreads = " + Environment.MOST_THREADS + ","));
    }
}
