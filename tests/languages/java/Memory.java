// Ends by the JVM's own limit, which follows the run's, as an exception with a stack.
import java.util.ArrayList;
import java.util.List;

public class Memory {
  public static void main(String[] args) {
    List<byte[]> kept = new ArrayList<>();
    while (true) {
      kept.add(new byte[1 << 20]);
    }
  }
}
