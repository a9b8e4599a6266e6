package plateau.kernel;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.List;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * The kernels that a test outside of {@link KernelCases} is there for. It runs them through
 * {@link KernelRuns#run}, and fails if it does not.
 */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(RunsKernels.Check.class)
@interface RunsKernels {
    /** Their names. */
    String[] value();

    /** Compares what ran with what is said. */
    final class Check implements BeforeEachCallback, AfterEachCallback {
        @Override
        public void beforeEach(ExtensionContext context) {
            KernelRuns.forget();
        }

        @Override
        public void afterEach(ExtensionContext context) {
            if (context.getExecutionException().isEmpty()) {
                List<String> said = List.of(context.getRequiredTestMethod()
                        .getAnnotation(RunsKernels.class)
                        .value());
                assertTrue(
                        KernelRuns.names().containsAll(said),
                        () -> said + " are to run, and " + KernelRuns.names() + " did");
            }
        }
    }
}
