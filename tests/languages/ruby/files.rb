# Files, directories, temporary files, locks, archives.
require "csv"
require "digest"
require "fileutils"
require "find"
require "json"
require "pathname"
require "pstore"
require "stringio"
require "tempfile"
require "tmpdir"
require "yaml"
require "zlib"

def check(condition, what = caller(1..1).first)
  raise "not so: #{what}" unless condition
end

Dir.mktmpdir do |root|
  check root.start_with?("/tmp/")
  Dir.chdir(root) do
    FileUtils.mkdir_p("deep/er")
    File.write("a.txt", "zeile\n" * 20_000)
    FileUtils.cp("a.txt", "deep/b.txt", preserve: true)
    FileUtils.cp_r("deep", "copy")
    FileUtils.mv("copy", "moved")
    File.symlink("a.txt", "link")
    File.link("a.txt", "hard")
    File.chmod(0o640, "hard")
    File.chown(Process.uid, Process.gid, "hard")
    File.utime(1, 2, "hard")
    check File.stat("hard").mtime.to_i == 2 && File.realpath("link").end_with?("/a.txt") && File.lstat("link").symlink?
    check Dir.glob("**/*").sort == %w[a.txt deep deep/b.txt deep/er hard link moved moved/b.txt moved/er]
    check Find.find(".").count == 10
    File.open("data", "w+") do |file|
      file.flock(File::LOCK_EX | File::LOCK_NB)
      file.write("hello world")
      file.fsync
      file.seek(6)
      check file.read == "world"
      check file.pread(5, 0) == "hello"
      file.truncate(5)
    end
    IO.copy_stream("a.txt", "copied")
    check FileUtils.identical?("a.txt", "copied")
    Zlib::GzipWriter.open("a.gz") { |gz| gz.write(File.read("a.txt")) }
    check Zlib::GzipReader.open("a.gz", &:read).size == 120_000
    Tempfile.create("x") { |file| file.puts("temporary"); file.rewind; check file.gets == "temporary\n" }
    check CSV.parse(%(a,"b ""c""",3\n)) == [["a", 'b "c"', "3"]]
    check YAML.load({ "a" => [1, nil, "x"] }.to_yaml) == { "a" => [1, nil, "x"] }
    store = PStore.new("store")
    store.transaction { store[:k] = [1, 2] }
    check store.transaction(true) { store[:k] } == [1, 2]
    check Pathname.new("deep").join("b.txt").size == 120_000
    FileUtils.rm_rf("deep")
    begin
      File.write("/usr/x", "")
      raise "wrote to /usr"
    rescue SystemCallError => e
      check [Errno::EACCES, Errno::EROFS].include?(e.class)
    end
  end
end
puts "ok"
