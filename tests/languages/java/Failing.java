import java.util.Map;

public class Failing {
  static int inner(Map<String, String> values) {
    return values.get("missing").length();
  }

  static int outer() {
    return inner(Map.of());
  }

  public static void main(String[] args) {
    System.out.println(outer());
  }
}
