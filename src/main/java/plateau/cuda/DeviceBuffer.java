package plateau.cuda;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import jcuda.Pointer;
import jcuda.driver.CUDA_MEMCPY2D;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUmemorytype;
import jcuda.driver.JCudaDriver;

/**
 * Memory of a device, or a view of a part of it; or the replicas of such memory, of which each of
 * several runs has one: what is uploaded or enqueued concerns all of them alike, and what is read
 * is read of one ({@link #replica}). Uploads and downloads are synchronous: an upload
 * is there for whatever is enqueued after it on any stream, and legal while other threads capture;
 * whoever reads results synchronizes the streams that write them first. Fresh memory is undefined
 * (NaN bytes on the CPU driver, unless PLATEAU_CPU_FRESH_MEMORY is set).
 */
public final class DeviceBuffer implements AutoCloseable {
    /** Makes the pointer's value readable. */
    private static final class Address extends CUdeviceptr {
        long value() {
            return getNativePointer();
        }
    }

    private final Device device;
    private final DeviceBuffer whole;
    private final CUdeviceptr pointer;
    private final long address;
    private final long bytes;
    private final Replicas replicas;
    private boolean closed;

    private DeviceBuffer(
            Device device, DeviceBuffer whole, CUdeviceptr pointer, long address, long bytes, Replicas replicas) {
        this.device = device;
        this.whole = whole == null ? this : whole;
        this.pointer = pointer;
        this.address = address;
        this.bytes = bytes;
        this.replicas = replicas;
    }

    static DeviceBuffer allocate(Device device, long bytes) {
        if (bytes <= 0) {
            throw new IllegalArgumentException("a buffer needs at least one byte, not " + bytes);
        }
        Address pointer = new Address();
        device.within(
                () -> CudaException.check("cuMemAlloc(" + bytes + " bytes)", JCudaDriver.cuMemAlloc(pointer, bytes)));
        return new DeviceBuffer(device, null, pointer, pointer.value(), bytes, Replicas.ONE);
    }

    /** A module's variable: closed with the module, not by itself. */
    static DeviceBuffer global(Device device, CUdeviceptr pointer, long address, long bytes) {
        return new DeviceBuffer(device, null, pointer, address, bytes, Replicas.ONE);
    }

    /** The device address of the first byte. */
    public long address() {
        return address;
    }

    /** Size in bytes, of one replica. */
    public long bytes() {
        return bytes;
    }

    /**
     * A view of a part; closing it does nothing.
     *
     * @throws IndexOutOfBoundsException if the part is not inside this buffer
     */
    public DeviceBuffer slice(long offsetBytes, long lengthBytes) {
        Objects.checkFromIndexSize(offsetBytes, lengthBytes, bytes);
        return view(offsetBytes, lengthBytes, replicas);
    }

    /** This view of the first of several replicas, known to be one of all. */
    DeviceBuffer in(Replicas all) {
        return view(0, bytes, all);
    }

    /**
     * One of the replicas, from 0 on; of memory that there is once, replica 0 is this.
     *
     * @throws IndexOutOfBoundsException if there is none of that number
     */
    public DeviceBuffer replica(int index) {
        Objects.checkIndex(index, replicas.count());
        return replicas.count() == 1 ? this : view(index * replicas.stride(), bytes, Replicas.ONE);
    }

    private DeviceBuffer view(long offsetBytes, long lengthBytes, Replicas of) {
        return new DeviceBuffer(
                device, whole, pointer.withByteOffset(offsetBytes), address + offsetBytes, lengthBytes, of);
    }

    /** How many replicas there are; 1 of memory that there is once. */
    public int replicaCount() {
        return replicas.count();
    }

    Replicas replicas() {
        return replicas;
    }

    private List<DeviceBuffer> each() {
        return IntStream.range(0, replicas.count()).mapToObj(this::replica).toList();
    }

    /** Writes the values from the first byte on. */
    public void upload(float... values) {
        toDevice(MemorySegment.ofArray(values));
    }

    /** Writes the values from the first byte on. */
    public void upload(int... values) {
        toDevice(MemorySegment.ofArray(values));
    }

    /** Writes the values from the first byte on. */
    public void upload(long... values) {
        toDevice(MemorySegment.ofArray(values));
    }

    /** Writes the values from the first byte on. */
    public void upload(double... values) {
        toDevice(MemorySegment.ofArray(values));
    }

    /** Reads as many values as the array holds. */
    public void download(float[] into) {
        fromDevice(Pointer.to(into), (long) into.length * Float.BYTES);
    }

    /** Reads as many values as the array holds. */
    public void download(int[] into) {
        fromDevice(Pointer.to(into), (long) into.length * Integer.BYTES);
    }

    /** All of it as floats. */
    public float[] toFloats() {
        float[] values = new float[length(Float.BYTES)];
        download(values);
        return values;
    }

    /** All of it as ints. */
    public int[] toInts() {
        int[] values = new int[length(Integer.BYTES)];
        download(values);
        return values;
    }

    /** All replicas as ints, one behind the other. */
    public int[] replicasToInts() {
        if (replicas.count() == 1) {
            return toInts();
        }
        requireOpen("buffer");
        int[] values = new int[Math.multiplyExact(replicas.count(), length(Integer.BYTES))];
        CUDA_MEMCPY2D copy = new CUDA_MEMCPY2D();
        copy.srcMemoryType = CUmemorytype.CU_MEMORYTYPE_DEVICE;
        copy.srcDevice = pointer;
        copy.srcPitch = replicas.stride();
        copy.dstMemoryType = CUmemorytype.CU_MEMORYTYPE_HOST;
        copy.dstHost = Pointer.to(values);
        copy.dstPitch = bytes;
        copy.WidthInBytes = bytes;
        copy.Height = replicas.count();
        device.within(() -> CudaException.check("cuMemcpy2D", JCudaDriver.cuMemcpy2D(copy)));
        return values;
    }

    /** All of it as doubles. */
    public double[] toDoubles() {
        double[] values = new double[length(Double.BYTES)];
        fromDevice(Pointer.to(values), bytes);
        return values;
    }

    /** All of it as longs. */
    public long[] toLongs() {
        long[] values = new long[length(Long.BYTES)];
        fromDevice(Pointer.to(values), bytes);
        return values;
    }

    private int length(int elementBytes) {
        return Math.toIntExact(bytes / elementBytes);
    }

    private void toDevice(MemorySegment values) {
        checkRange(values.byteSize());
        if (values.byteSize() > 0) {
            each().forEach(replica -> device.upload(replica.address, values));
        }
    }

    private void fromDevice(Pointer values, long count) {
        checkRange(count);
        if (replicas.count() > 1) {
            throw new IllegalStateException("of %d replicas, say which is read".formatted(replicas.count()));
        }
        if (count > 0) {
            device.within(() -> CudaException.check("cuMemcpyDtoH", JCudaDriver.cuMemcpyDtoH(values, pointer, count)));
        }
    }

    private void checkRange(long count) {
        requireOpen("buffer");
        if (count > bytes) {
            throw new IndexOutOfBoundsException(count + " bytes do not fit a buffer of " + bytes);
        }
    }

    /** Sets every 32-bit word to the same value. */
    public Work fill(int word) {
        if (bytes % Integer.BYTES != 0) {
            throw new IllegalArgumentException("a buffer of " + bytes + " bytes has no whole number of 32-bit words");
        }
        return replicas.count() == 1
                ? new Fill(this, word)
                : Work.sequence(
                        "fill",
                        each().stream().map(replica -> replica.fill(word)).toList());
    }

    /** Copies the source, which must have the same size, here. */
    public Work copyFrom(DeviceBuffer source) {
        if (source.bytes != bytes) {
            throw new IllegalArgumentException("cannot copy " + source.bytes + " bytes to a buffer of " + bytes);
        }
        if (!source.replicas.equals(replicas)) {
            throw new IllegalArgumentException(
                    "cannot copy %d replicas to %d".formatted(source.replicas.count(), replicas.count()));
        }
        return replicas.count() == 1
                ? new Copy(this, source)
                : Work.sequence(
                        "copy",
                        IntStream.range(0, replicas.count())
                                .mapToObj(i -> replica(i).copyFrom(source.replica(i)))
                                .toList());
    }

    private record Fill(DeviceBuffer target, int word) implements Work {
        @Override
        public void enqueue(Stream stream) {
            target.requireOpen("fill");
            stream.before();
            try {
                CudaException.check("cuMemsetD32Async", (int)
                        Calls.FILL.invokeExact(target.address, word, target.bytes / Integer.BYTES, stream.handle()));
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw Calls.unexpected(e);
            }
            stream.after(this);
        }

        @Override
        public String name() {
            return "fill";
        }

        @Override
        public Cost cost() {
            return new Cost(0, target.bytes);
        }
    }

    private record Copy(DeviceBuffer target, DeviceBuffer source) implements Work {
        @Override
        public void enqueue(Stream stream) {
            target.requireOpen("copy");
            source.requireOpen("copy");
            stream.before();
            try {
                CudaException.check("cuMemcpyDtoDAsync", (int)
                        Calls.COPY.invokeExact(target.address, source.address, target.bytes, stream.handle()));
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw Calls.unexpected(e);
            }
            stream.after(this);
        }

        @Override
        public String name() {
            return "copy";
        }

        @Override
        public Cost cost() {
            return new Cost(0, 2.0 * target.bytes);
        }
    }

    boolean isClosed() {
        return whole.closed;
    }

    /**
     * Checks that this memory, or what it is a view of, can still be used.
     *
     * @throws IllegalStateException if it has been closed; the message begins with {@code use}
     */
    public void requireOpen(String use) {
        if (whole.closed) {
            throw new IllegalStateException(use + " uses device memory that has been closed");
        }
    }

    CUdeviceptr pointer() {
        return pointer;
    }

    /** Frees the memory once what uses it has run. A view does nothing; a second close neither. */
    @Override
    public void close() {
        if (whole == this && !closed) {
            closed = true;
            device.buffers().decrementAndGet();
            device.within(() -> CudaException.check("cuMemFree", JCudaDriver.cuMemFree(pointer)));
        }
    }

    @Override
    public String toString() {
        return "DeviceBuffer[0x" + Long.toHexString(address) + ", " + bytes + " bytes" + (isClosed() ? ", closed" : "")
                + (replicas.count() > 1 ? ", " + replicas.count() + " replicas" : "") + "]";
    }
}
