import numpy

matrix = numpy.random.default_rng(1).random((400, 400))
assert numpy.allclose(numpy.linalg.inv(matrix) @ matrix, numpy.eye(400))
assert abs(numpy.fft.ifft(numpy.fft.fft(matrix[0])).real - matrix[0]).max() < 1e-9
numpy.save("/tmp/matrix.npy", matrix)
assert (numpy.load("/tmp/matrix.npy", mmap_mode="r") == matrix).all()
print("ok")
