import parts.Part;

public class Several {
  record Pair(int left, int right) {}

  public static void main(String[] args) {
    System.out.println(new Pair(args.length, Part.part()));
  }
}
