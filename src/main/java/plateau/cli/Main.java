package plateau.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.Logger;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import plateau.cuda.trace.Trace;
import plateau.experiment.Kind;
import plateau.experiment.Kinds;
import plateau.study.CampaignFailedException;
import plateau.study.Failures;

/**
 * The command line: a command for every kind of experiment, and those that use their results. See
 * {@link ExitCode}.
 */
@Command(
        name = "plateau",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description =
                "Failures of Gradient-Based Deep Learning (Shalev-Shwartz, Shamir, Shammah 2017), on hand-written CUDA"
                        + " kernels, on a GPU or a CPU.",
        footer = {
            "",
            "Examples:",
            "  plateau parity                      figure 1 of the paper, into ./parity",
            "  plateau parity --d 10 --seed 7      one input dimension, another subset and data",
            "  plateau tuple --k 3 --mode dec      the parity of three line images, with help",
            "  plateau pwl conditioned             curves encoded by their changes of slope, well conditioned",
            "  plateau step forward-only           a step function, learnt by ignoring its flatness",
            "  plateau stocks                      one gradient, estimated with and without noise",
            "  plateau run parity/run.json         the runs of earlier results once more",
            "  plateau reproduce                   all of the paper as one page, each claim judged",
            "  plateau compare parity other        two results side by side",
            "  plateau doctor                      what this machine can run, and what is missing",
            "",
            "Exit codes: 0 done, 1 failure at run time, 2 bad usage, 3 check skipped for want of hardware, 130 ended"
                    + " by Ctrl-C.",
            "PLATEAU_DEBUG=1 shows the stack trace behind an error."
        })
public final class Main implements Runnable {
    /** What stands beside the experiments in the list of commands. */
    private static final List<Class<?>> OTHERS = List.of(
            RunCommand.class,
            SweepCommand.class,
            MergeCommand.class,
            StatusCommand.class,
            ReproduceCommand.class,
            TheoryCommand.class,
            PlotCommand.class,
            CompareCommand.class,
            ExportCommand.class,
            CompletionCommand.class,
            DoctorCommand.class,
            KernelsCommand.class,
            ProfileCommand.class,
            GpuCheckCommand.class);

    /** What Java has for each byte of a name that it cannot read, and cannot say again. */
    private static final String UNKNOWN_CHARACTER = "\uFFFD";

    /** Of a text of help; picocli refuses less. */
    private static final int LEAST_WIDTH = 55;

    @Spec
    private CommandSpec spec;

    /** Runs the command line and ends the process with its exit code. */
    public static void main(String[] arguments) {
        Signals.handle();
        Trace.nameThread("main");
        PrintWriter out = new PrintWriter(System.out, true);
        PrintWriter err = new PrintWriter(System.err, true);
        if (System.getProperty("user.dir").contains(UNKNOWN_CHARACTER)) {
            err.println("plateau: the current folder: " + TypedValues.BEYOND_LOCALE);
            System.exit(ExitCode.USAGE);
        }
        int code = run(CommandLine.defaultFactory(), out, err, arguments);
        if (System.out.checkError() && code == ExitCode.OK) {
            err.println("plateau: standard output could not be written to, and does not have all that was said");
            code = ExitCode.FAILED;
        }
        System.exit(code);
    }

    /**
     * Runs the command line, with commands and options that the factory makes; returns the exit
     * code.
     */
    static int run(CommandLine.IFactory factory, PrintWriter out, PrintWriter err, String... arguments) {
        Locale.setDefault(Locale.ROOT); // names, numbers and files are the same for every reader
        logOneLine();
        try {
            return commandLine(factory, out, err, arguments).execute(arguments);
        } catch (Error e) { // no handler of the command line gets it
            return failed(e, err);
        }
    }

    private static CommandLine commandLine(
            CommandLine.IFactory factory, PrintWriter out, PrintWriter err, String... arguments) {
        CommandLine line = commandLine(factory, arguments).setOut(out).setErr(err);
        line.setParameterExceptionHandler((e, _) -> {
            err.println("plateau: " + oneLine(e) + " (see: "
                    + e.getCommandLine().getCommandSpec().qualifiedName() + " --help)");
            return ExitCode.USAGE;
        });
        line.setExecutionExceptionHandler((e, _, _) -> {
            failed(e, err);
            return isBadUsage(e) ? ExitCode.USAGE : ExitCode.FAILED;
        });
        TypedValues.register(line);
        return line;
    }

    /** Whoever asked for what cannot be is told so alike, whether of one run or of several. */
    private static boolean isBadUsage(Exception e) {
        return e instanceof IllegalArgumentException
                || e instanceof CampaignFailedException && e.getCause() instanceof IllegalArgumentException;
    }

    private static int failed(Throwable e, PrintWriter err) {
        if (!List.of("", "0").contains(System.getenv().getOrDefault("PLATEAU_DEBUG", ""))) {
            e.printStackTrace(err);
        }
        err.println("plateau: " + explain(e));
        return ExitCode.FAILED;
    }

    /**
     * All commands and their options; the one alone that is named first where it is an
     * experiment's, as the others take longer to make than it takes to begin.
     */
    static CommandLine commandLine(CommandLine.IFactory factory, String... arguments) {
        CommandLine line = new CommandLine(new Main(), factory);
        List<Kind<?>> named = Kinds.all().stream()
                .filter(kind -> arguments.length > 0 && kind.name().equals(arguments[0]))
                .toList();
        for (Kind<?> kind : named.isEmpty() ? Kinds.all() : named) {
            line.addSubcommand(kind.name(), TrainCommand.of(kind, factory));
        }
        if (named.isEmpty()) {
            OTHERS.forEach(command -> line.addSubcommand(new CommandLine(command, factory)));
            line.addSubcommand(BenchCommand.of(factory));
        }
        return line.setCaseInsensitiveEnumValuesAllowed(true).setHelpFactory((spec, _) -> help(spec));
    }

    /** In the terminal's colours and width; it is looked at only where there is help to show. */
    private static Help help(CommandSpec spec) {
        Terminal terminal = Terminal.standard();
        spec.usageMessage().width(Math.max(LEAST_WIDTH, terminal.columns().getAsInt()));
        return new Help(spec, Help.defaultColorScheme(terminal.redraws() ? Help.Ansi.AUTO : Help.Ansi.OFF));
    }

    /** An error of ours says all there is to say; any other names its kind too. */
    static String explain(Throwable e) {
        return e instanceof CommandFailedException ? oneLine(e) : Failures.explain(e);
    }

    private static String oneLine(Throwable e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
    }

    private static void logOneLine() {
        if (System.getProperty("java.util.logging.SimpleFormatter.format") == null) {
            System.setProperty("java.util.logging.SimpleFormatter.format", "plateau: %5$s%n");
        }
        LogManager.getLogManager();
        Logger.getLogger("jcuda").setLevel(Level.OFF);
    }

    /** Without a command: the help. */
    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }
}
