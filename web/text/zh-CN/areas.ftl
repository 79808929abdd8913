# Kinds of areas.
area-level-county = 县
area-level-town = 乡镇（街道）
area-level-village = 村
area-level-community = 社区
area-level-group = 村民小组
area-level-grid = 网格
area-level-estate = 小区
