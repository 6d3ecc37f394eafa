"""Small real worlds to try Holdfast on: today an image with old packages in three layers."""
