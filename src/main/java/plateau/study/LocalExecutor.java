package plateau.study;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import plateau.autograd.Kernels;
import plateau.cuda.Releases;
import plateau.experiment.Experiment;
import plateau.figure.Figure;
import plateau.kernel.Measurements;
import plateau.kernel.Measurements.Measured;
import plateau.results.Description;
import plateau.results.EventFile;
import plateau.results.LogRow;
import plateau.results.ResultFolder;
import plateau.results.ResultStore;
import plateau.results.RunFiles;
import plateau.results.RunPlan;
import plateau.results.RunRecord;
import plateau.results.Status;
import plateau.train.Checkpoints;
import plateau.train.ParallelRuns;
import plateau.train.RunListener;
import plateau.train.RunResult;
import plateau.train.Trainer;

/** Carries out campaigns on threads of this process, over one or several devices. */
public final class LocalExecutor implements Executor {
    private final Devices.Source source;
    private final String deviceText;
    private final String version;
    private final boolean isPart;
    private ParallelRuns places;
    private boolean stopped;

    /**
     * On these devices.
     *
     * @param source opens the devices of one campaign
     * @param deviceText how they are named where a campaign is to go on
     * @param version of this program
     */
    public LocalExecutor(Devices.Source source, String deviceText, String version) {
        this(source, deviceText, version, false);
    }

    private LocalExecutor(Devices.Source source, String deviceText, String version, boolean isPart) {
        this.source = source;
        this.deviceText = deviceText;
        this.version = version;
        this.isPart = isPart;
    }

    /**
     * Carries out parts of campaigns, for {@link SweepFolder} to put together: without tables, and
     * where it goes on, runs that are finished stay as they are.
     */
    public static LocalExecutor ofParts(Devices.Source source, String deviceText, String version) {
        return new LocalExecutor(source, deviceText, version, true);
    }

    @Override
    public synchronized void stop() {
        stopped = true;
        if (places != null) {
            places.stop();
        }
    }

    private synchronized boolean isStopped() {
        return stopped;
    }

    private synchronized void use(ParallelRuns runs) {
        places = runs;
        if (stopped) {
            runs.stop();
        }
    }

    @Override
    public CampaignEnd execute(Campaign<?> campaign, Settings settings, ResultFolder folder, CampaignListener listener)
            throws IOException {
        CampaignEnd end;
        Devices devices = source.open();
        try {
            end = new Session(campaign, settings, folder, listener, devices).run();
        } catch (IOException | RuntimeException | Error e) {
            Releases.after(e, devices::close);
            throw e;
        }
        try {
            devices.close();
        } catch (RuntimeException e) {
            if (end.failure().isEmpty()) {
                throw e;
            }
            end.failure().get().addSuppressed(e); // which is told first
        }
        return end;
    }

    /** One campaign on open devices. */
    private final class Session {
        private final Campaign<?> campaign;
        private final Settings settings;
        private final ResultFolder folder;
        private final CampaignListener listener;
        private final Devices devices;
        private final Measurements measurements;
        private SortedMap<String, Measured> told;
        private final List<Kernels> kernels;
        private final List<Experiment> experiments;
        private final List<? extends RunSpec<?>> runs;

        Session(
                Campaign<?> campaign,
                Settings settings,
                ResultFolder folder,
                CampaignListener listener,
                Devices devices) {
            this.campaign = campaign;
            this.settings = settings;
            this.folder = folder;
            this.listener = listener;
            this.devices = devices;
            this.runs = campaign.runs();
            this.experiments = runs.stream().map(RunSpec::experiment).toList();
            this.told = campaign.routing().measured();
            this.measurements = new Measurements(told);
            this.kernels = devices.all().stream()
                    .map(device -> campaign.routing().kernels(device, measurements))
                    .toList();
        }

        CampaignEnd run() throws IOException {
            int parallel = settings.parallel().orElseGet(() -> ParallelRuns.defaultParallel(kernels));
            ParallelRuns places = new ParallelRuns(kernels, parallel, settings.replicas());
            listener.onDevices(devices, parallel);
            devices.all().getFirst().makeCurrent();
            Map<String, Figure> dataFigures =
                    isPart ? Map.of() : experiments.getFirst().dataFigures(kernels.getFirst());
            List<RunPlan> plans =
                    IntStream.range(0, runs.size()).mapToObj(this::plan).toList();
            ResultStore store = new ResultStore(folder, description(), plans, !isPart);
            use(places);
            List<Integer> unfinished = unfinished(plans);
            List<ParallelRuns.Run> trained = new ArrayList<>();
            for (int run : unfinished) {
                trained.add(trained(store, run));
            }
            Optional<Throwable> failure = failure(unfinished, places.run(trained));
            Status status = isStopped() ? Status.INTERRUPTED : failure.isPresent() ? Status.FAILED : Status.FINISHED;
            listener.onSaving();
            try {
                store.end(status, failure.map(Failures::explain));
            } catch (IOException e) {
                return new CampaignEnd(Status.FAILED, failure.or(() -> Optional.of(e)), dataFigures);
            }
            return new CampaignEnd(status, failure, dataFigures);
        }

        /** The runs to train. */
        private List<Integer> unfinished(List<RunPlan> plans) throws IOException {
            List<RunFiles> found = isPart && goesOn() ? RunFiles.read(folder.path(), plans) : List.of();
            List<Integer> unfinished = new ArrayList<>();
            for (int run = 0; run < plans.size(); run++) {
                if (found.isEmpty() || !found.get(run).isFinished(plans.get(run))) {
                    unfinished.add(run);
                }
            }
            return unfinished;
        }

        private Description description() {
            Map<String, String> versions = new TreeMap<>();
            int driver = devices.all().getFirst().driverVersion();
            versions.put("cuda_driver_api", "%d.%d".formatted(driver / 1000, driver % 1000 / 10));
            versions.put("java", Runtime.version().toString());
            versions.put(
                    "os",
                    System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                            + System.getProperty("os.arch"));
            versions.put("plateau", version);
            return new Description(
                    campaign.kind().name(),
                    Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
                    campaign.toJson(),
                    settings.toJson().put("device", deviceText),
                    devices.description(),
                    versions);
        }

        private RunPlan plan(int run) {
            RunSpec<?> spec = runs.get(run);
            return new RunPlan(
                    spec.key(),
                    experiments.get(run).metrics(),
                    experiments.get(run).facts(kernels.getFirst()),
                    spec.schedule().steps(),
                    spec.schedule().logEvery());
        }

        private ParallelRuns.Run trained(ResultStore store, int run) throws IOException {
            RunSpec<?> spec = runs.get(run);
            Checkpoints checkpoints = settings.checkpointEvery().isEmpty()
                    ? Checkpoints.NONE
                    : Checkpoints.of(
                            checkpoint(store.fileNames().get(run)),
                            settings.checkpointEvery().getAsLong(),
                            goesOn(),
                            listener::onWarning);
            Trainer.Options options = new Trainer.Options(spec.schedule(), settings.unroll(), settings.graph());
            return new ParallelRuns.Run(experiments.get(run), options, new Recorder(store, run), checkpoints);
        }

        /** What is known now is told once. */
        private synchronized void tellMeasured(ResultStore store) {
            SortedMap<String, Measured> known = measurements.all();
            if (!known.equals(told)) {
                told = known;
                store.tell(campaign.with(known).toJson());
            }
        }

        private boolean goesOn() {
            return folder.purpose() == ResultFolder.Purpose.CONTINUE;
        }

        /** Both files that a run's checkpoints take turns in become the folder's own. */
        private Path checkpoint(String name) throws IOException {
            String newest = ResultFolder.checkpoint(name);
            folder.file(Checkpoints.previous(Path.of(newest)).toString());
            return folder.file(newest);
        }

        /** What made a run fail: of one run as it is, of one of several with its name. */
        private Optional<Throwable> failure(List<Integer> trained, List<Future<RunResult>> ends) {
            SortedMap<Integer, Throwable> failed = new TreeMap<>();
            for (int i = 0; i < ends.size(); i++) {
                if (ends.get(i).state() == Future.State.FAILED) {
                    failed.put(trained.get(i), ends.get(i).exceptionNow());
                }
            }
            if (failed.isEmpty()) {
                return Optional.empty();
            }
            Throwable cause = failed.firstEntry().getValue();
            if (runs.size() == 1) {
                return Optional.of(cause);
            }
            SortedMap<Integer, String> reasons = new TreeMap<>();
            failed.forEach((run, e) -> reasons.put(run, Failures.explain(e)));
            return Optional.of(new CampaignFailedException(Failures.ofRuns(campaign, reasons), cause));
        }

        /** Takes down what a run logs, and passes it on. */
        private final class Recorder implements RunListener {
            private final ResultStore store;
            private final int run;
            private long done;
            private boolean begun;
            private EventFile events;

            Recorder(ResultStore store, int run) {
                this.store = store;
                this.run = run;
            }

            @Override
            public void onStart(long before) {
                done = before;
                if (goesOn()) {
                    unchecked(this::begin); // which sees whether the rows before are there
                }
                listener.onStart(run, before);
            }

            /** Nothing in the folder changes before a run has something to write there. */
            private void begin() throws IOException {
                if (!begun) {
                    begun = true;
                    tellMeasured(store); // the run has been planned
                    store.begin();
                    store.start(run, done);
                    if (settings.tensorboard()) {
                        Path file =
                                folder.file("tensorboard/" + store.fileNames().get(run) + "/" + EventFile.name());
                        events = goesOn()
                                ? EventFile.open(file.getParent(), now())
                                : EventFile.create(file.getParent(), now());
                    }
                }
            }

            @Override
            public void onSteps(long done) {
                listener.onSteps(run, done);
            }

            @Override
            public void onLog(LogRow row) {
                unchecked(this::begin);
                unchecked(() -> store.log(run, row));
                if (settings.tensorboard()) {
                    List<String> names = experiments.get(run).metrics();
                    SequencedMap<String, Double> values = new LinkedHashMap<>();
                    IntStream.range(0, names.size())
                            .forEach(i -> values.put(names.get(i), row.test().get(i)));
                    unchecked(() -> events.add(now(), row.step(), values));
                }
                listener.onLog(run, row);
            }

            @Override
            public boolean wantsCurves(long step) {
                return step == runs.get(run).schedule().steps()
                        || experiments.get(run).milestones().contains(step);
            }

            @Override
            public void onCurves(long step, Map<String, float[]> curves) {
                unchecked(() -> store.keep(run, step, curves));
            }

            @Override
            public void onCheckpoint() {
                listener.onSaving();
                unchecked(this::begin);
                unchecked(() -> store.checkpoint(run));
            }

            @Override
            public void onCheckpointEnd() {
                listener.onSaved();
            }

            @Override
            public void onFinish(RunResult result) {
                unchecked(() -> store.finish(
                        run,
                        new RunRecord.Speeds(
                                result.stepsPerSecond(),
                                result.stepsPerSecondWithEvaluation(),
                                result.seconds(),
                                result.setupSeconds())));
                listener.onFinish(run, result);
            }

            @Override
            public void onFailure(Throwable cause) {
                store.fail(run, Failures.explain(cause));
                listener.onFailure(run, cause);
            }
        }
    }

    /** Writes something. */
    private interface Writing {
        void write() throws IOException;
    }

    private static void unchecked(Writing writing) {
        try {
            writing.write();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static double now() {
        return System.currentTimeMillis() / 1e3;
    }
}
