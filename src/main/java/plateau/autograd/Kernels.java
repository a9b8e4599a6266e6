package plateau.autograd;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import plateau.cuda.Device;
import plateau.kernel.Accumulate;
import plateau.kernel.Conv1d;
import plateau.kernel.Conv2d;
import plateau.kernel.Counter;
import plateau.kernel.Dense;
import plateau.kernel.Hinge;
import plateau.kernel.Initializer;
import plateau.kernel.LineData;
import plateau.kernel.Losses;
import plateau.kernel.Measurements;
import plateau.kernel.Metrics;
import plateau.kernel.ParityData;
import plateau.kernel.PwlData;
import plateau.kernel.PwlEncoding;
import plateau.kernel.Sigmoid;
import plateau.kernel.SignalToNoise;
import plateau.kernel.SparseRows;
import plateau.kernel.StepData;
import plateau.kernel.StepFunction;
import plateau.kernel.StocksData;
import plateau.kernel.StocksLoss;
import plateau.kernel.TupleMetrics;
import plateau.kernel.Updates;

/**
 * The one way to a device's launchers: each is made when it is first asked for, and shared by every
 * run there. Others' are had from {@link #get}. Safe for use by several threads.
 */
public final class Kernels {
    private final Device device;
    private final Map<Class<?>, Object> launchers = new ConcurrentHashMap<>();

    private Kernels(Device device, Dense dense, Conv2d conv2d) {
        this.device = device;
        launchers.put(Dense.class, dense);
        launchers.put(Conv2d.class, conv2d);
    }

    /** A device's launchers; matrix products and convolutions run as is judged best. */
    public static Kernels of(Device device) {
        return of(device, Dense.Products.AUTO);
    }

    /** As {@link #of(Device)}; {@code products} says how matrix products run. */
    public static Kernels of(Device device, Dense.Products products) {
        return of(device, products, Conv2d.Convolutions.AUTO);
    }

    /**
     * As {@link #of(Device)}; the paths say how matrix products and two-dimensional convolutions
     * run.
     */
    public static Kernels of(Device device, Dense.Products products, Conv2d.Convolutions convolutions) {
        return of(device, products, convolutions, new Measurements());
    }

    /** Likewise, where something is known of times, which is added to. */
    public static Kernels of(
            Device device, Dense.Products products, Conv2d.Convolutions convolutions, Measurements measurements) {
        return new Kernels(
                device, new Dense(device, products, measurements), new Conv2d(device, convolutions, measurements));
    }

    /** The device that they launch on. */
    public Device device() {
        return device;
    }

    /**
     * The one launcher of that type, such as {@code kernels.get(Gelu.class, Gelu::new)} for a class
     * of one's own.
     *
     * @param make makes it, where this is the first time that it is asked for
     */
    public <T> T get(Class<T> type, Function<Device, T> make) {
        return type.cast(launchers.computeIfAbsent(type, _ -> make.apply(device)));
    }

    /** Dense layers and their gradients. */
    public Dense dense() {
        return (Dense) launchers.get(Dense.class);
    }

    /** Two-dimensional convolutions with pooling, and their gradients. */
    public Conv2d conv2d() {
        return (Conv2d) launchers.get(Conv2d.class);
    }

    /** One-dimensional convolutions and their gradients. */
    public Conv1d conv1d() {
        return get(Conv1d.class, Conv1d::new);
    }

    /** Sums of gradients. */
    public Accumulate accumulate() {
        return get(Accumulate.class, Accumulate::new);
    }

    /** The hinge loss. */
    public Hinge hinge() {
        return get(Hinge.class, Hinge::new);
    }

    /** The logistic sigmoid. */
    public Sigmoid sigmoid() {
        return get(Sigmoid.class, Sigmoid::new);
    }

    /** Step functions and their smooth stand-ins. */
    public StepFunction stepFunction() {
        return get(StepFunction.class, StepFunction::new);
    }

    /** Squared error and cross-entropy. */
    public Losses losses() {
        return get(Losses.class, Losses::new);
    }

    /** The loss of a softmax that invests in stocks, and the noise of its gradients. */
    public StocksLoss stocksLoss() {
        return get(StocksLoss.class, StocksLoss::new);
    }

    /** Updates of parameters. */
    public Updates updates() {
        return get(Updates.class, Updates::new);
    }

    /** Rows of a table, read and updated by index. */
    public SparseRows sparseRows() {
        return get(SparseRows.class, SparseRows::new);
    }

    /** First values of weights. */
    public Initializer initializer() {
        return get(Initializer.class, Initializer::new);
    }

    /** The step number in device memory. */
    public Counter counter() {
        return get(Counter.class, Counter::new);
    }

    /** Means over a batch, into a ring. */
    public Metrics metrics() {
        return get(Metrics.class, Metrics::new);
    }

    /** Metrics of scores on tuples and on their images. */
    public TupleMetrics tupleMetrics() {
        return get(TupleMetrics.class, TupleMetrics::new);
    }

    /** Signal and noise of gradients. */
    public SignalToNoise signalToNoise() {
        return get(SignalToNoise.class, SignalToNoise::new);
    }

    /** Data of the parities. */
    public ParityData parityData() {
        return get(ParityData.class, ParityData::new);
    }

    /** Images of lines. */
    public LineData lineData() {
        return get(LineData.class, LineData::new);
    }

    /** Data of the stocks. */
    public StocksData stocksData() {
        return get(StocksData.class, StocksData::new);
    }

    /** Piecewise-linear curves. */
    public PwlData pwlData() {
        return get(PwlData.class, PwlData::new);
    }

    /** Moments of piecewise-linear curves, and their decoding. */
    public PwlEncoding pwlEncoding() {
        return get(PwlEncoding.class, PwlEncoding::new);
    }

    /** Data of the step functions. */
    public StepData stepData() {
        return get(StepData.class, StepData::new);
    }
}
