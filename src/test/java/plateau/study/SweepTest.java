package plateau.study;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Grids as text, and how sweeps are cut. */
class SweepTest {

    private static List<Campaign<?>> campaigns(String... grids) {
        return Sweep.campaigns(
                Arrays.stream(grids).<Grid<?>>map(GridText::parse).toList(), Routing.AUTO);
    }

    @Test
    void aGridIsWhatItsTextSays() {
        Campaign<?> campaign = campaigns("parity d=5..7,10..30..10 batch=64 seeds=2 seed=9 steps=700 log-every=7")
                .getFirst();
        assertEquals(
                List.of("5 9", "5 10", "6 9", "6 10", "7 9", "7 10", "10 9", "10 10", "20 9", "20 10", "30 9", "30 10"),
                campaign.runs().stream()
                        .map(run -> run.values().get("d") + " " + run.seed())
                        .toList());
        RunSpec<?> run = campaign.runs().getLast();
        assertEquals(64, run.values().get("batch"));
        assertEquals(700, run.schedule().steps());
        assertEquals(7, run.schedule().logEvery());
    }

    @Test
    void gridsOfAKindAreOneCampaign() {
        List<Campaign<?>> campaigns = campaigns("parity d=5 steps=10", "step steps=10", "parity d=6 steps=20");
        assertEquals(
                List.of("parity", "step"),
                campaigns.stream().map(campaign -> campaign.kind().name()).toList());
        assertEquals(
                List.of(10L, 20L),
                campaigns.getFirst().runs().stream()
                        .map(run -> run.schedule().steps())
                        .toList());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "party d=5",
                "parity d",
                "parity d=",
                "parity =5",
                "parity d=5 d=6",
                "parity d=7..5",
                "parity d=1..9..0",
                "parity d=0..999999999",
                "parity d=5,5",
                "parity d=5 seeds=0",
                "parity d=5 seeds=1,2",
                "parity d=5 seeds=1e3",
                "parity d=5 nothing=1",
                "parity d=x",
                "parity d=5 steps=0"
            })
    void whatIsNoGridIsRefusedInOneLine(String text) {
        String message = assertThrows(IllegalArgumentException.class, () -> campaigns(text))
                .getMessage();
        assertFalse(message.isBlank() || message.contains("\n"), message);
    }

    /** No shard is above another by more than its cheapest run. */
    @Test
    void shardsTakeAboutTheSameTime() {
        List<Campaign<?>> campaigns = campaigns("parity d=5..30 seeds=17", "step seeds=3");
        List<List<Double>> seconds = campaigns.stream()
                .map(campaign -> IntStream.range(0, campaign.runs().size())
                        .mapToObj(i -> 1.0 + i / 17 * (i / 17) / 10.0)
                        .toList())
                .toList();
        Sweep sweep = new Sweep(campaigns, 7, Settings.USUAL, "cpu", seconds);
        double[] sums = new double[7];
        int[] counts = new int[7];
        for (int campaign = 0; campaign < 2; campaign++) {
            int[] shardOf = sweep.cut().get(campaign);
            for (int run = 0; run < shardOf.length; run++) {
                sums[shardOf[run]] += sweep.cost(campaign, run);
                counts[shardOf[run]]++;
            }
        }
        assertEquals(sweep.runs(), Arrays.stream(counts).sum());
        double spread = DoubleStream.of(sums).max().orElseThrow()
                - DoubleStream.of(sums).min().orElseThrow();
        assertTrue(spread <= 1.0 + 1e-9, () -> Arrays.toString(sums));
    }

    /** Whoever reads a sweep cuts it as whoever wrote it. */
    @Test
    void aSweepSurvivesItsFile() throws Exception {
        List<Campaign<?>> campaigns = campaigns("parity d=5..9 seeds=4", "pwl");
        List<List<Double>> seconds = campaigns.stream()
                .map(campaign -> campaign.runs().stream()
                        .map(run -> (double) run.options().hashCode() % 1000 + 1000)
                        .toList())
                .toList();
        Sweep sweep = new Sweep(campaigns, 6, Settings.USUAL.withCheckpointEvery(77), "cuda:0", seconds);
        ObjectMapper json = new ObjectMapper();
        Sweep read = Sweep.of(json.readTree(json.writeValueAsBytes(sweep.toJson())));
        assertEquals(sweep.toJson(), read.toJson());
        assertEquals(77, read.settings().checkpointEvery().orElseThrow());
        for (int i = 0; i < campaigns.size(); i++) {
            assertArrayEquals(sweep.cut().get(i), read.cut().get(i));
        }
        assertTrue(read.asksFor(campaigns));
        assertFalse(read.asksFor(campaigns("parity d=5..9 seeds=5", "pwl")));
    }
}
