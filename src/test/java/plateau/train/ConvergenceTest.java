package plateau.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.LinkedHashMap;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import plateau.autograd.Kernels;
import plateau.cuda.Device;
import plateau.experiment.Approach;
import plateau.experiment.Experiment;
import plateau.experiment.Parity;
import plateau.experiment.Snr;
import plateau.experiment.Step;
import plateau.experiment.StepKind;
import plateau.experiment.Stocks;
import plateau.experiment.Tuple;
import plateau.kernel.LineData;
import plateau.reference.TestDevice;
import plateau.results.History;
import plateau.results.RunKey;

/** What figures 1, 3, 4, 6 and 8 show, at the paper's constants. */
class ConvergenceTest {

    /**
     * Measured, seeds 1 to 5: first accuracy of 0.99 after 200 steps (d = 5, |S| = 2), 1,050 to
     * 1,150 (5, 4) and 1,150 to 1,950 (8, 4); each is given about twice that.
     */
    @ParameterizedTest
    @CsvSource({
        "5, 2, 1, 500",
        "5, 2, 2, 500",
        "5, 4, 1, 2500",
        "5, 4, 2, 2500",
        "8, 4, 1, 4000",
        "8, 4, 2, 4000",
        "8, 4, 3, 4000"
    })
    void smallParitiesAreLearntWhole(int d, int size, long seed, long steps) {
        assertEquals(
                1,
                train(new Parity(Parity.Options.of(d).withSubsetSize(size), seed), steps)
                        .last("accuracy"));
    }

    /**
     * The paper's 50,000 steps. The last 100 rows test 50,000 samples: standard error 0.0022 around
     * ½, of which four are allowed. Measured, seeds 1 to 6: 0.4969 to 0.5025.
     */
    @Test
    void dimensionThirtyStaysAtChance() {
        List<Double> accuracy =
                train(new Parity(Parity.Options.of(30), 1), 50_000).values("accuracy");
        double mean = accuracy.subList(accuracy.size() - 100, accuracy.size()).stream()
                .mapToDouble(each -> each)
                .average()
                .orElseThrow();
        assertEquals(0.5, mean, 4 * 0.5 / Math.sqrt(50_000));
        assertTrue(accuracy.stream().allMatch(each -> each < 0.65), "no row of 500 samples is far from chance");
    }

    /**
     * Handing the message through the step function learns it within 5,000 steps. Measured, seeds 1
     * to 6: squared error 5e-5 to 1.2e-3, exact for 0.989 to 0.999 of the samples.
     */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void forwardOnlyLearnsTheStepFunction(long seed) {
        History run = train(Step.Variant.FORWARD_ONLY, seed);
        assertTrue(run.last("squared_error") < 3e-3, () -> "squared error " + run.last("squared_error"));
        assertTrue(run.last("exact") > 0.98, () -> "exact share " + run.last("exact"));
    }

    /** Measured, seeds 1 to 6: exact for 0.985 to 0.994, squared error 1e-4 to 2.2e-3. */
    @Test
    void multiclassLearnsTheStepFunctionButForItsBoundaries() {
        double exact = train(Step.Variant.MULTICLASS, 1).last("exact");
        assertTrue(exact > 0.97 && exact < 0.999, () -> "exact share " + exact);
    }

    /** Measured, seeds 1 to 6: 0.9e-3 to 1.7e-3. */
    @Test
    void endToEndSmoothsTheStepFunction() {
        double loss = train(Step.Variant.E2E, 2).last("loss");
        assertEquals(1.3e-3, loss, 0.8e-3);
    }

    /**
     * Seed 3's b* lies beside the first bias, seed 5's lies a flat step away from it, where no
     * gradient leads. Measured: 0.0022, and 1.24 to the end; of seeds 1 to 6 only 3 is learnt.
     */
    @ParameterizedTest
    @CsvSource({"3, 0.0015, 0.003", "5, 1, 1.5"})
    void theApproximationDependsOnItsFirstBias(long seed, double least, double most) {
        double loss = train(Step.Variant.APPROXIMATION, seed).last("loss");
        assertTrue(loss > least && loss < most, () -> "loss " + loss);
    }

    /**
     * Figure 8: the decomposition learns k = 1000 stocks, end-to-end learning does not, from
     * gradients with the same expectation. The references' exact losses at 2,500 steps are -0.9995
     * and -0.33 to -0.36.
     */
    @ParameterizedTest
    @CsvSource({"DEC, -0.9999, -0.998", "E2E, -0.39, -0.30"})
    void decompositionLearnsManyStocks(Approach mode, double least, double most) {
        double exact = train(new Stocks(Stocks.Options.of(1000, mode), 1), 2500).last("exact_loss");
        assertTrue(exact > least && exact < most, () -> "exact loss " + exact);
    }

    /**
     * Figure 3: the decomposition learns tuples of two and of three images; end-to-end training on
     * three does not leave chance, nor on the images' labels, that it does not see. Two thousand
     * tuples: standard error 0.011 around 1/2, of which four are allowed. Measured at 500 steps on
     * the authors' images, seeds 1 to 3: 0.891 to 0.911 (k = 2), 0.857 to 0.880 (k = 3).
     */
    @ParameterizedTest
    @CsvSource({"DEC, 2, 500, 0.86, 0.94", "DEC, 3, 500, 0.80, 0.92", "E2E, 3, 200, 0.455, 0.545"})
    void decompositionLearnsTuples(Approach mode, int k, long steps, double least, double most) {
        double accuracy = train(new Tuple(Tuple.Options.of(k, mode).withRaster(LineData.Raster.PROGRAM), 1), steps)
                .last("tuple_accuracy");
        assertTrue(accuracy > least && accuracy < most, () -> "accuracy " + accuracy);
    }

    /**
     * Figure 4, with 40,000 tuples: at k = 1 a signal many standard errors large, at k = 2 none in
     * sight; in the decomposition one as large as before. References, one network each: natural
     * logarithms of -6.7 and, for the decomposition, -6.7 to -6.8; over seeds they vary by one
     * half.
     */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void signalIsLostBetweenOneImageAndTwo(int k) {
        History run = train(new Snr(Snr.Options.of(k).withRaster(LineData.Raster.PROGRAM), 1), 200);
        double endToEnd = run.last("e2e_unbiased") / run.last("e2e_error");
        double decomposed = run.last("dec_log_ratio");
        assertTrue(
                k == 1 ? endToEnd > 8 : Math.abs(endToEnd) < 5,
                () -> "end-to-end signal is " + endToEnd + " standard errors");
        assertEquals(-6.8, decomposed, 1.2);
    }

    private static History train(Step.Variant variant, long seed) {
        Step step = new Step(Step.Options.of(variant), seed);
        return train(step, new StepKind().defaultSteps(Step.Options.of(variant)));
    }

    private static History train(Experiment experiment, long steps) {
        History history = new History(new RunKey(new LinkedHashMap<>(), experiment.seed()), experiment.metrics());
        try (Device device = TestDevice.open()) {
            Trainer.run(Kernels.of(device), experiment, Trainer.Options.of(steps, 100), RunListener.into(history));
        }
        return history;
    }
}
