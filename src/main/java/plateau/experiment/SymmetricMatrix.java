package plateau.experiment;

import java.util.stream.IntStream;

/**
 * A small symmetric matrix, taken apart by Jacobi's rotations (Golub &amp; Van Loan, "Matrix
 * Computations", section 8.5).
 */
public final class SymmetricMatrix {
    private static final int SWEEPS = 50;

    private SymmetricMatrix() {}

    /**
     * A^(−1/2) of a positive definite matrix.
     *
     * @throws IllegalArgumentException if it is not positive definite
     */
    public static double[][] inverseSquareRoot(double[][] matrix) {
        int n = matrix.length;
        double[][] v = new double[n][n];
        double[][] a = diagonal(matrix, v);
        double[][] root = new double[n][n];
        for (int k = 0; k < n; k++) {
            if (!(a[k][k] > 0)) {
                throw new IllegalArgumentException(
                        "The matrix has the eigenvalue " + a[k][k] + " and so no inverse square root");
            }
            double weight = 1 / Math.sqrt(a[k][k]);
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < n; j++) {
                    root[i][j] += weight * v[i][k] * v[j][k];
                }
            }
        }
        return root;
    }

    /** The eigenvalues, the largest first. */
    public static double[] eigenvalues(double[][] matrix) {
        int n = matrix.length;
        double[][] a = diagonal(matrix, new double[n][n]);
        return IntStream.range(0, n)
                .mapToDouble(i -> -a[i][i])
                .sorted()
                .map(value -> -value)
                .toArray();
    }

    /** vᵀ matrix v, all but diagonal; v becomes the eigenvectors, in columns. */
    private static double[][] diagonal(double[][] matrix, double[][] v) {
        int n = matrix.length;
        double[][] a = new double[n][];
        for (int i = 0; i < n; i++) {
            a[i] = matrix[i].clone();
            v[i][i] = 1;
        }
        for (int sweep = 0; sweep < SWEEPS; sweep++) {
            for (int p = 0; p < n; p++) {
                for (int q = p + 1; q < n; q++) {
                    rotate(a, v, p, q);
                }
            }
        }
        return a;
    }

    /** Makes a[p][q] zero: a becomes JᵀaJ and v becomes vJ. */
    private static void rotate(double[][] a, double[][] v, int p, int q) {
        if (a[p][q] == 0) {
            return;
        }
        double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
        double t = Math.copySign(1, theta) / (Math.abs(theta) + Math.hypot(theta, 1));
        double c = 1 / Math.hypot(t, 1);
        double s = t * c;
        int n = a.length;
        for (int k = 0; k < n; k++) {
            double kp = a[k][p];
            double kq = a[k][q];
            a[k][p] = c * kp - s * kq;
            a[k][q] = s * kp + c * kq;
        }
        for (int k = 0; k < n; k++) {
            double pk = a[p][k];
            double qk = a[q][k];
            a[p][k] = c * pk - s * qk;
            a[q][k] = s * pk + c * qk;
            double kp = v[k][p];
            double kq = v[k][q];
            v[k][p] = c * kp - s * kq;
            v[k][q] = s * kp + c * kq;
        }
    }
}
