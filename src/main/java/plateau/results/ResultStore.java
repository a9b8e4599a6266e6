package plateau.results;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The results of a campaign while its runs go on. What a run reports is in a file of its own at
 * once, or soon; the tables of all runs and run.json are put together from these now and then, for
 * whoever looks, and at the end. Runs are counted from 0, and report from threads of their own.
 */
public final class ResultStore {
    private static final Duration BETWEEN_TABLES = Duration.ofSeconds(10);

    /** Tables are written at most for one in so many seconds, however long they get. */
    private static final int SHARE_OF_TIME = 30;

    private final ResultFolder folder;
    private volatile Description description;
    private final List<Run> runs;
    private final boolean makesTables;
    private final Duration betweenTables;
    private final long began = System.nanoTime();
    private final CountDownLatch ended = new CountDownLatch(1);
    private final Object files = new Object();
    private final AtomicReference<IOException> problem = new AtomicReference<>();
    private volatile boolean isChanged = true;
    private volatile Thread writer;

    /**
     * Nothing is written yet. Where results are continued, earlier ones count.
     *
     * @param description without runs
     * @throws FileException if earlier results cannot be read
     * @throws FolderException.Occupied if files of others lie where those of the runs are to be
     */
    public ResultStore(ResultFolder folder, Description description, List<RunPlan> plans) throws IOException {
        this(folder, description, plans, true, BETWEEN_TABLES);
    }

    /**
     * As above.
     *
     * @param makesTables false: the runs' own files and run.json are all, as others put the tables
     *     together
     */
    public ResultStore(ResultFolder folder, Description description, List<RunPlan> plans, boolean makesTables)
            throws IOException {
        this(folder, description, plans, makesTables, BETWEEN_TABLES);
    }

    ResultStore(ResultFolder folder, Description description, List<RunPlan> plans, Duration betweenTables)
            throws IOException {
        this(folder, description, plans, true, betweenTables);
    }

    private ResultStore(
            ResultFolder folder,
            Description description,
            List<RunPlan> plans,
            boolean makesTables,
            Duration betweenTables)
            throws IOException {
        boolean continues = folder.purpose() == ResultFolder.Purpose.CONTINUE;
        Description earlier = continues ? Description.read(folder.path()) : description;
        Map<RunKey, RunRecord> records = continues ? earlier.runsByKey() : Map.of();
        List<String> names = RunKey.fileNames(plans.stream().map(RunPlan::key).toList());
        this.folder = folder;
        this.description = description.after(earlier.started(), earlier.seconds());
        this.makesTables = makesTables;
        this.betweenTables = betweenTables;
        this.runs = new ArrayList<>();
        for (int i = 0; i < plans.size(); i++) {
            Run run = new Run(plans.get(i), names.get(i));
            folder.require(run.files());
            if (continues) {
                run.recall(Optional.ofNullable(records.get(run.plan.key().asWritten())));
            }
            runs.add(run);
        }
    }

    /** One run and its files. */
    private final class Run {
        private final RunPlan plan;
        private final String name;
        private Status status = Status.WAITING;
        private Optional<String> error = Optional.empty();
        private Optional<RunRecord.Speeds> speeds = Optional.empty();
        private Optional<RunRecord.Last> last = Optional.empty();
        private RunLog log;

        Run(RunPlan plan, String name) {
            this.plan = plan;
            this.name = name;
        }

        String recordName() {
            return RunFiles.recordName(name);
        }

        List<String> files() {
            return List.of(RunLog.rowsName(name), RunLog.curvesName(name), recordName());
        }

        /** As earlier processes have left it. */
        void recall(Optional<RunRecord> described) throws IOException {
            RunRecord found = RunFiles.recall(folder.path(), name, plan, described);
            status = found.status();
            error = found.error();
            speeds = found.speeds();
            last = found.last();
        }

        synchronized void start(long done) throws IOException {
            log = RunLog.open(folder, name, plan.metrics(), done, plan.rows(done));
            ResultFolder.delete(folder.path().resolve(recordName()));
            become(Status.RUNNING, Optional.empty());
        }

        synchronized void flush() throws IOException {
            if (status == Status.RUNNING) {
                log.flush();
            }
        }

        private void become(Status newStatus, Optional<String> newError) {
            status = newStatus;
            error = newError;
            isChanged = true;
        }

        /** Closes the log, and says in a file how the run ended. */
        synchronized void end(Status newStatus, Optional<String> newError, Optional<RunRecord.Speeds> newSpeeds)
                throws IOException {
            speeds = newSpeeds;
            become(newStatus, newError);
            try {
                if (log != null) {
                    log.close();
                }
            } finally {
                writeRecord();
            }
        }

        /** Not where nothing has begun: there, earlier results stay as they are. */
        private void writeRecord() throws IOException {
            if (hasBegun()) {
                folder.write(recordName(), file -> Json.write(file, record().toJson()));
            }
        }

        synchronized RunRecord record() {
            return new RunRecord(plan.key(), status, error, plan.facts(), speeds, log == null ? last : log.last());
        }

        synchronized Tables.Part rows() throws IOException {
            Path file = folder.path().resolve(RunLog.rowsName(name));
            return log == null ? Tables.Part.of(plan.key(), file) : new Tables.Part(plan.key(), file, log.rowBytes());
        }

        synchronized Tables.Part curves() throws IOException {
            Path file = folder.path().resolve(RunLog.curvesName(name));
            return log == null ? Tables.Part.of(plan.key(), file) : new Tables.Part(plan.key(), file, log.curveBytes());
        }
    }

    /** The names for files of the runs, in their order. */
    public List<String> fileNames() {
        return runs.stream().map(run -> run.name).toList();
    }

    /**
     * A run as it stands; of a folder that is continued, as earlier processes left it until it
     * starts.
     */
    public RunRecord record(int run) {
        return runs.get(run).record();
    }

    /**
     * Takes the folder into use and describes what is about to be done, for whoever is to go on
     * with it. Does nothing when called again; the start of a run does the same.
     *
     * @throws FileException if that cannot be written
     */
    public void begin() throws IOException {
        if (hasBegun()) {
            return;
        }
        synchronized (files) {
            if (!hasBegun()) {
                folder.begin();
                writer = Thread.ofPlatform().daemon().name("plateau-tables").start(this::writeNowAndThen);
                writeDescription(Status.RUNNING, Optional.empty());
            }
        }
    }

    /**
     * A run starts.
     *
     * @param done training steps of the checkpoint that it goes on from; 0 for one that begins
     * @throws FileException if the rows up to there are missing, or the folder cannot be written
     */
    public void start(int run, long done) throws IOException {
        begin();
        runs.get(run).start(done);
    }

    /**
     * A run has logged a row. Rows up to the step from which it goes on are known already.
     *
     * @throws FileException if it cannot be written
     */
    public void log(int run, LogRow row) throws IOException {
        runs.get(run).log.log(row);
        isChanged = true;
    }

    /**
     * What a run has learnt.
     *
     * @throws FileException if it cannot be written
     */
    public void keep(int run, long step, Map<String, float[]> curves) throws IOException {
        runs.get(run).log.keep(step, curves);
        isChanged = true;
    }

    /**
     * A run is about to make a checkpoint, which relies on all it has logged: when this returns,
     * that is on the disk.
     *
     * @throws FileException if it cannot be written
     */
    public void checkpoint(int run) throws IOException {
        runs.get(run).log.force();
    }

    /**
     * A run has done all its steps.
     *
     * @throws FileException if that cannot be written
     */
    public void finish(int run, RunRecord.Speeds speeds) throws IOException {
        runs.get(run).end(Status.FINISHED, Optional.empty(), Optional.of(speeds));
    }

    /** A run failed. What cannot be written about it is reported at the end. */
    public void fail(int run, String error) {
        attempt(() -> runs.get(run).end(Status.FAILED, Optional.of(error), Optional.empty()));
    }

    /** The runs that have begun and not ended were stopped. */
    public void interrupt() {
        for (Run run : runs) {
            if (run.record().status() == Status.RUNNING) {
                attempt(() -> run.end(Status.INTERRUPTED, Optional.empty(), Optional.empty()));
            }
        }
    }

    /** Something that may fail. */
    private interface Action {
        void run() throws IOException;
    }

    /** Does something; what goes wrong first is kept for the end. */
    private void attempt(Action action) {
        try {
            action.run();
        } catch (IOException e) {
            problem.compareAndSet(null, e);
        }
    }

    /**
     * The campaign ends, or has ended and something failed afterwards. Runs that have not ended
     * were interrupted. Writes nothing where nothing has begun.
     *
     * @param status of all runs together
     * @param error what ended it early, in one line
     * @throws FileException if anything could not be written; run.json then says so too, if that
     *     can be
     */
    public void end(Status status, Optional<String> error) throws IOException {
        ended.countDown();
        if (!hasBegun()) {
            return;
        }
        interrupt();
        synchronized (files) {
            if (status != Status.FINISHED) {
                describe(status, error); // it is small: if room is short, it comes before the tables
            }
            boolean isDescribed = status != Status.FINISHED && problem.get() == null;
            if (isChanged) {
                attempt(this::writeTables);
            }
            if (!isDescribed || problem.get() != null) {
                describe(status, error); // a process that is killed before has not finished
            }
        }
        if (problem.get() != null) {
            throw problem.getAndSet(null);
        }
    }

    private boolean hasBegun() {
        return writer != null;
    }

    /** With what went wrong, if nothing else has. */
    private void describe(Status status, Optional<String> error) {
        Optional<IOException> cause = Optional.ofNullable(problem.get());
        attempt(() -> writeDescription(
                cause.isPresent() ? Status.FAILED : status, error.or(() -> cause.map(IOException::getMessage))));
    }

    /** The names of what was written for users, in order. */
    public List<String> written() {
        return folder.written();
    }

    private void writeNowAndThen() {
        long pause = betweenTables.toNanos();
        try {
            while (!ended.await(pause, TimeUnit.NANOSECONDS)) {
                long start = System.nanoTime();
                synchronized (files) {
                    if (isChanged && ended.getCount() > 0) {
                        writeAll();
                    }
                }
                pause = Math.max(betweenTables.toNanos(), SHARE_OF_TIME * (System.nanoTime() - start));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** What cannot be written now is tried again, and reported at the end. */
    private void writeAll() {
        try {
            for (Run run : runs) {
                run.flush();
            }
            writeDescription(Status.RUNNING, Optional.empty());
            writeTables();
        } catch (IOException e) {
            isChanged = true;
        }
    }

    /** More is known of the campaign, which is told with whatever is written next. */
    public void tell(JsonNode campaign) {
        description = description.with(campaign);
    }

    private void writeDescription(Status status, Optional<String> error) throws IOException {
        double seconds = description.seconds() + (System.nanoTime() - began) / 1e9;
        Description now = description.as(
                status, error, seconds, runs.stream().map(Run::record).toList());
        folder.write(ResultFolder.DESCRIPTION, now::write);
    }

    private void writeTables() throws IOException {
        isChanged = false; // what comes meanwhile counts as a change
        if (!makesTables) {
            return;
        }
        try {
            Set<String> metrics = new LinkedHashSet<>();
            List<Tables.Part> rows = new ArrayList<>();
            List<Tables.Part> curves = new ArrayList<>();
            for (Run run : runs) {
                metrics.addAll(run.plan.metrics());
                rows.add(run.rows());
                curves.add(run.curves());
            }
            Tables.write(folder, metrics, rows, curves);
        } catch (IOException e) {
            isChanged = true;
            throw e;
        }
    }
}
