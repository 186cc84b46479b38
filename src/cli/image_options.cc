#include "cli/image_options.h"

#include <string>

#include "cli/command_options.h"

namespace caisson::cli {

CLI::App* AddImage(CLI::App& app, ImageOptions& image) {
  CLI::App* group = app.add_subcommand("image", "Make images, roots that share no file with the host");
  group->require_subcommand(1);
  CLI::App* build = group->add_subcommand(
      "build", "Make a root for a profile's sandboxes from Debian packages, as one file; as root");
  build->add_option("PROFILE", image.profile, "What it is for: brings its toolchain, and what it mounts")
      ->required();
  AddList(*build, "--packages", image.packages, "NAME,...", "Debian packages besides; repeatable");
  AddList(*build, "--pip", image.pip, "NAME[==VERSION],...", "Python packages, as wheels; repeatable");
  AddList(*build, "--npm", image.npm, "NAME[@VERSION],...",
          "npm packages, without their scripts; repeatable");
  build
      ->add_option("--output", image.output,
                   "The image's file (default: below /var/lib/caisson/images, named by profile and digest)")
      ->type_name("FILE");
  build->add_option("--format", image.format, "The kind of file system (default: squashfs)")
      ->check([](const std::string& text) {
        return text == "squashfs" || text == "erofs" ? "" : "must be squashfs or erofs, not " + text;
      })
      ->type_name("squashfs|erofs");
  build
      ->add_option("--write-profile", image.write_profile,
                   "Put a profile that uses the image there, NAME.json (default: on standard output)")
      ->type_name("FILE");
  build->add_flag("--force", image.force, "Replace files that are there already");
  build->add_flag("--dry-run", image.dry_run, "Only say which commands would be run");
  build
      ->add_option("--profiles", image.directory,
                   "Directory of profile files (default: the installed ones, or those of this build)")
      ->type_name("DIR");
  group->footer(
      "Example:\n  sudo caisson image build python --packages python3-numpy --write-profile "
      "/usr/share/caisson/profiles/python-numpy.json");
  return build;
}

}  // namespace caisson::cli
