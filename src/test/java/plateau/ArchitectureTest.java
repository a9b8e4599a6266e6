package plateau;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** Packages depend in one direction only, and CUDA's bindings stay where they belong. */
class ArchitectureTest {
    private static final JavaClasses CLASSES = new ClassFileImporter().withImportOption(new ImportOption.DoNotIncludeTests()).importPackages("plateau");

    @Test
    void dependenciesPointDown() {
        layeredArchitecture()
                .consideringOnlyDependenciesInLayers()
                .layer("cli").definedBy("plateau.cli..")
                .layer("report").definedBy("plateau.report..")
                .layer("train").definedBy("plateau.train..")
                .layer("experiment").definedBy("plateau.experiment..")
                .layer("nn").definedBy("plateau.nn..")
                .layer("autograd").definedBy("plateau.autograd..")
                .layer("kernel").definedBy("plateau.kernel..")
                .optionalLayer("cudnn").definedBy("plateau.cudnn..")
                .layer("cuda").definedBy("plateau.cuda..")
                .whereLayer("cli").mayNotBeAccessedByAnyLayer()
                .whereLayer("report").mayOnlyBeAccessedByLayers("cli")
                .whereLayer("train").mayOnlyBeAccessedByLayers("cli", "report")
                .whereLayer("experiment").mayOnlyBeAccessedByLayers("cli", "report", "train")
                .whereLayer("nn").mayOnlyBeAccessedByLayers("cli", "report", "train", "experiment")
                .whereLayer("autograd").mayOnlyBeAccessedByLayers("cli", "report", "train", "experiment", "nn")
                .whereLayer("kernel").mayOnlyBeAccessedByLayers("cli", "report", "train", "experiment", "nn", "autograd")
                .whereLayer("cudnn").mayOnlyBeAccessedByLayers("cli", "report", "train", "experiment", "nn", "autograd", "kernel")
                .check(CLASSES);
    }

    @Test
    void onlyTheCudaLayersKnowTheBindings() {
        noClasses().that().resideOutsideOfPackages("plateau.cuda..").should().dependOnClassesThat().resideInAPackage("jcuda..").check(CLASSES);
        noClasses().that().resideOutsideOfPackages("plateau.cuda..", "plateau.cudnn..").should().dependOnClassesThat().resideInAPackage("java.lang.foreign..").check(CLASSES);
    }

    /** Typed CUDA is opened through three classes; launchers and what stands on them take a device as it is. */
    @Test
    void whereLibrariesAreFoundIsNoConcernOfKernels() {
        noClasses().that().resideInAPackage("plateau.cuda")
                .and().doNotHaveFullyQualifiedName("plateau.cuda.Device")
                .and().doNotHaveFullyQualifiedName("plateau.cuda.Calls")
                .and().doNotHaveFullyQualifiedName("plateau.cuda.Blas")
                .should().dependOnClassesThat().resideInAPackage("plateau.cuda.load").check(CLASSES);
        noClasses().that().resideInAnyPackage("plateau.kernel..", "plateau.autograd..", "plateau.nn..", "plateau.experiment..", "plateau.cudnn..")
                .should().dependOnClassesThat().resideInAPackage("plateau.cuda.load").check(CLASSES);
        noClasses().that().resideInAPackage("plateau.cuda.load").should().dependOnClassesThat().resideInAPackage("plateau.cuda").check(CLASSES);
    }
}
