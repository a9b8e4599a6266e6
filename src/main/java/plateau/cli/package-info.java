/**
 * The command line: reads options, calls the packages below, prints. Nothing below knows it, and
 * nothing but {@link plateau.cli.Main} is for others to use.
 *
 * <p>Threads: a command's own thread reads its options and writes its results. Runs that go on at
 * once have a thread each, on which their device is made current, and report to the command's
 * listeners, which take turns.
 */
package plateau.cli;
