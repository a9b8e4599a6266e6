package plateau.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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
        Environment.check(Map.of(
                "PLATEAU_CPU_DEVICES", "16",
                "PLATEAU_CPU_LATE_COPIES", "1000000",
                "PLATEAU_CPU_FRESH_MEMORY", "18446744073709551615"));
        Environment.check(Map.of("PLATEAU_FAULT", "cuMemAlloc:3:2,cudnnSetStream:1:-1"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-1", "1025", "100000", "99999999999999999999", "abc", "2x", " 2", "1.5", "\u0662"})
    void threadsAreAWholeNumber(String wrong) {
        assertEquals(
                "PLATEAU_CPU_THREADS is '" + wrong + "': it must be a whole number from 1 to 1024",
                refusal("PLATEAU_CPU_THREADS", wrong));
    }

    @ParameterizedTest
    @CsvSource({
        "PLATEAU_CPU_DEVICES,0,1 to 16",
        "PLATEAU_CPU_DEVICES,17,1 to 16",
        "PLATEAU_CPU_DEVICES,two,1 to 16",
        "PLATEAU_CPU_LATE_COPIES,-1,0 to 1000000",
        "PLATEAU_CPU_LATE_COPIES,1000001,0 to 1000000",
        "PLATEAU_CPU_LATE_COPIES,100us,0 to 1000000",
        "PLATEAU_CPU_FRESH_MEMORY,18446744073709551616,0 to 18446744073709551615",
        "PLATEAU_CPU_FRESH_MEMORY,random,0 to 18446744073709551615"
    })
    void theOthersAreWholeNumbers(String variable, String wrong, String range) {
        assertEquals(
                variable + " is '" + wrong + "': it must be a whole number from " + range, refusal(variable, wrong));
    }

    @Test
    void faultsNameAFunctionACallAndACode() {
        for (String wrong : new String[] {"x", "cuInit:0:1", "cuInit:1", "cuInit:1:1,", "cuInit:a:1", "cuInit:1:1:1"}) {
            assertTrue(refusal("PLATEAU_FAULT", wrong).startsWith("PLATEAU_FAULT: '"), wrong);
        }
        assertEquals(1, refusal("PLATEAU_FAULT", "a\nb").lines().count());
    }

    @Test
    void theDriverHasTheSameLimits() throws Exception {
        String header = Files.readString(Path.of(System.getProperty("plateau.basedir"), "native/driver/limits.h"));
        assertTrue(header.contains("kMostThreads = " + Environment.MOST_THREADS + ","));
        String settings = Files.readString(Path.of(System.getProperty("plateau.basedir"), "native/driver/settings.h"));
        assertTrue(settings.contains("kMostDevices = " + Environment.MOST_DEVICES + ";"));
        assertTrue(settings.contains("kMostLateMicroseconds = " + Environment.MOST_LATE_MICROSECONDS + ";"));
    }
}
