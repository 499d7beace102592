### Names of images.

name-rule = 1 to 50 Chinese characters, ASCII letters, digits and _ , . : -
name-invalid = This is not a valid image name. Use { $rule }
name-taken = Image { $id } in this account already has this name. Choose another name, or rename or delete that image.
name-held-by-upload = An unfinished import reserves this name for image { $id }. Import the same file with this name again to resume it, choose another name, or delete that image.
name-empty = The image name is empty. Use { $rule }
name-invalid-or-taken = Either another image in this account has this name, or it is not a valid image name. Use { $rule }
