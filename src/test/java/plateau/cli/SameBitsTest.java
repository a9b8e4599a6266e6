package plateau.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import plateau.cuda.load.CpuLevel;

/**
 * The bits of every experiment and variant, two seeds each, stay what they were when they were
 * recorded, on a CPU with AVX-512 and glibc 2.36: whatever is redesigned, a run is the same run.
 * Where a change is meant to change them, record the new ones and say why.
 */
class SameBitsTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        parity --d 5,10,30 --steps 500 | c51d0b2759bf12c0496911cf7d06f189
        tuple --k 1,2,3 --batch 50 --steps 500 --log-every 250 | 7210d0171f10d4cd0f7e3bd5648f1bdd
        tuple --k 1,2 --batch 50 --steps 500 --log-every 250 --raster program | 07992254c24fca472d58816bf3e85da8
        snr --k 1,2,3,4 --samples 100000 | ad7fb2aceec6c699d8242bada4330983
        snr --k 2 --samples 100000 --raster program | 0d8fdfffd365befcc703ca4dec3f8813
        stocks --k 10,100,1000 --steps 500 | cca4abd01cc7190b407d2d5dfef30ad2
        pwl --steps 500 | 4cfe0726c3f48ee92ed906f621c06756
        pwl --steps 500 --curves program | 9f1661a31be7ac695c9b52e8443ceb4c
        step --steps 500 | 8b69443e2196e302e0bda7238295ad26
        step approximation --steps 500 --smoothing paper | cc450c3880e975d81c9ba7504154bd13
        """)
    void metricsAreTheSame(String command, String hash) throws Exception {
        assumeTrue(CpuLevel.ofThisMachine().equals("x86-64-v4"), "recorded with AVX-512");
        Path out = folder.resolve("out");
        List<String> words = new ArrayList<>(List.of(command.strip().split(" +")));
        words.addAll(List.of("--seeds", "2", "--device", "cpu", "--out", out.toString()));
        Finished.here(words.toArray(String[]::new)).assertOk();
        byte[] sha256 = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(out.resolve("metrics.csv")));
        assertEquals(hash, HexFormat.of().formatHex(sha256).substring(0, hash.length()), "half of the SHA-256");
    }
}
