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
import plateau.cuda.load.NativeFiles;

/**
 * The bits of every experiment and variant, two seeds each, stay what they were when they were recorded, on a CPU with AVX-512
 * and glibc 2.36: whatever is redesigned, a run is the same run. Where a change is meant to change them, record the new ones
 * and say why.
 */
class SameBitsTest {
    @TempDir Path folder;

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        parity --d 5,10,30 --steps 500                                       | c51d0b2759bf12c0496911cf7d06f18970a9bed5760431074cb7e2af0bb257ab
        tuple --k 1,2,3 --steps 500 --log-every 250                          | 38d581ebdf60b15c9a073cb044974ffa4054ff11fb9c458506b6f10cc1344972
        tuple --k 1,2 --steps 500 --log-every 250 --raster program           | 08b8feba21e42ba038fb9f088f17deca85099d190caa0eccb772e9c26f0eb6c5
        snr --k 1,2,3,4 --samples 100000                                     | ad7fb2aceec6c699d8242bada4330983bbf1a276a2d23dffb16c43fb7e1f9d33
        snr --k 2 --samples 100000 --raster program                          | 0d8fdfffd365befcc703ca4dec3f881359af3d1e5ed4cc9b4a1e9bf84018a2ec
        stocks --k 10,100,1000 --steps 500                                   | aca2c142e32083e79a292517bb2fc9ca73d55e3a85a540766ee0c98f3ff73f9d
        pwl --steps 500                                                      | 4cfe0726c3f48ee92ed906f621c06756787feb1ddeb3a990d8a3556506d1e168
        pwl --steps 500 --curves program                                     | 9f1661a31be7ac695c9b52e8443ceb4c886250315a169fa2c814a40cb288a0fd
        step --steps 500                                                     | 8b69443e2196e302e0bda7238295ad26ee262044d2f974b2b3aa2042ec02f864
        step approximation --steps 500 --smoothing paper                     | cc450c3880e975d81c9ba7504154bd1365090fbfc2846bdfa9850a0fb6454011
        """)
    void metricsAreTheSame(String command, String sha256) throws Exception {
        assumeTrue(NativeFiles.cpuLevel().equals("x86-64-v4"), "recorded with AVX-512");
        Path out = folder.resolve("out");
        List<String> words = new ArrayList<>(List.of(command.strip().split(" +")));
        words.addAll(List.of("--seeds", "2", "--device", "cpu", "--out", out.toString()));
        Finished.here(words.toArray(String[]::new)).assertOk();
        byte[] hash = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(out.resolve("metrics.csv")));
        assertEquals(sha256, HexFormat.of().formatHex(hash));
    }
}
